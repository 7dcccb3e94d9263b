// The story of the platform as people see it in the console, on one platform and in order. Each page is shot on the way.
import { desk } from '../chapters/desk.ts';
import { connecting } from '../chapters/connecting.ts';
import { limiting } from '../chapters/limiting.ts';
import { running } from '../chapters/running.ts';
import { settingUp } from '../chapters/setting-up.ts';
import { using } from '../chapters/using.ts';
import { People, type Cast } from '../people.ts';
import { expect, test } from '../stage.ts';

test.describe.configure({ mode: 'serial' });

const cast = {} as Cast;
let people: People;

test.beforeAll(async ({ browser }) => {
  people = new People(browser);
  cast.operator = await people.one();
  cast.owner = await people.one();
  cast.member = await people.one();
});

test.afterAll(() => people.leave());

test.afterEach(() => {
  expect(people.takeFaults(), 'errors inside the pages').toEqual([]);
});

settingUp(cast);
connecting(cast);
using(cast);
desk(cast);
running(cast);
limiting(cast);
