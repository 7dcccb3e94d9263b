/** 中文。每个部分都必须有英文目录里的全部键，缺一个就编译不过。 */
import type { en } from './en';
import { access } from './zh/access';
import { audit } from './zh/audit';
import { common } from './zh/common';
import { domains } from './zh/domains';
import { lifecycle } from './zh/plugins/lifecycle';
import { isolation } from './zh/isolation';
import { limits } from './zh/plugins/limits';
import { money } from './zh/money';
import { platform } from './zh/platform';
import { catalogue } from './zh/plugins/catalogue';
import { problems } from './zh/problems';
import { releases } from './zh/plugins/releases';
import { runtime } from './zh/plugins/runtime';
import { shell } from './zh/shell';
import { tenants } from './zh/tenants';

export const zh: Record<keyof typeof en, string> = {
  ...common,
  ...shell,
  ...problems,
  ...access,
  ...platform,
  ...tenants,
  ...domains,
  ...catalogue,
  ...lifecycle,
  ...limits,
  ...runtime,
  ...releases,
  ...money,
  ...audit,
  ...isolation,
};
