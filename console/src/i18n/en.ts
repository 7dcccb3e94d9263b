/** English, the language of reference: its keys are the catalogue's type. */
import { access } from './en/access';
import { audit } from './en/audit';
import { common } from './en/common';
import { lifecycle } from './en/plugins/lifecycle';
import { domains } from './en/domains';
import { isolation } from './en/isolation';
import { limits } from './en/plugins/limits';
import { money } from './en/money';
import { platform } from './en/platform';
import { catalogue } from './en/plugins/catalogue';
import { problems } from './en/problems';
import { releases } from './en/plugins/releases';
import { runtime } from './en/plugins/runtime';
import { shell } from './en/shell';
import { tenants } from './en/tenants';

export const en = { ...common, ...shell, ...problems, ...access, ...platform, ...tenants, ...domains, ...catalogue, ...lifecycle, ...limits, ...runtime, ...releases, ...money, ...audit, ...isolation } as const;
