/** 初始化与登录。 */
import type { access as source } from '../en/access';

export const access: Record<keyof typeof source, string> = {
  'setup.title': '初始化服务器',
  'setup.text': '创建第一个运营管理员账号，链接仅可使用一次。',
  'setup.token': '初始化令牌',
  'setup.name': '您的姓名',
  'setup.email_rule': '请输入邮箱地址，例如 ada@example.com',
  'setup.submit': '创建账号',
  'setup.done_title': '初始化已完成',
  'setup.done_text': '此服务器已有运营管理员。',
  'setup.needed_title': '此服务器尚未初始化',
  'setup.needed_text': '请打开服务器启动时输出的一次性链接，或在终端中创建账号：',
  'password.rule': '至少 12 个字符，已输入 {n} 个',
  'password.short': '至少 12 个字符',
  'password.good': '长度合格',
  'password.strong': '强',
  'login.title': '登录',
  'login.title_tenant': '登录 {name}',
  'login.text': '运营控制台',
  'login.submit': '登录',
  'login.with': '使用 {name} 登录',
  'login.or': '或',
};
