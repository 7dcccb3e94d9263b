/** 中文。每个部分都必须有英文目录里的全部键，缺一个就编译不过。 */
import type { en } from './en';
import { access } from './zh/access';
import { audit } from './zh/audit';
import { common } from './zh/common';
import { lifecycle } from './zh/lifecycle';
import { money } from './zh/money';
import { platform } from './zh/platform';
import { plugins } from './zh/plugins';
import { problems } from './zh/problems';
import { releases } from './zh/releases';
import { runtime } from './zh/runtime';
import { shell } from './zh/shell';
import { tenants } from './zh/tenants';

export const zh: Record<keyof typeof en, string> = {
  ...common,
  ...shell,
  ...problems,
  ...access,
  ...platform,
  ...tenants,
  ...plugins,
  ...lifecycle,
  ...runtime,
  ...releases,
  ...money,
  ...audit,
};
