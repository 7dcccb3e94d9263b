/** What the sidebar and the command palette lead to. */
import {
  ApartmentOutlined, AppstoreOutlined, AuditOutlined, BarChartOutlined, BranchesOutlined, ColumnHeightOutlined, ControlOutlined, CreditCardOutlined, DashboardOutlined,
  FileTextOutlined, GlobalOutlined, HeartOutlined, HomeOutlined, SafetyCertificateOutlined, SafetyOutlined, ScheduleOutlined, TeamOutlined,
} from '@ant-design/icons';
import type { ReactNode } from 'react';
import type { MessageKey } from '@/i18n';

export interface NavItem {
  path: string;
  label: MessageKey;
  icon: ReactNode;
  /** Hidden from people who do not hold it. */
  permission?: string;
}

export interface NavGroup {
  label?: MessageKey;
  items: NavItem[];
}

export const operatorNav: NavGroup[] = [
  {
    items: [
      { path: '/', label: 'nav.overview', icon: <DashboardOutlined /> },
      { path: '/tenants', label: 'nav.tenants', icon: <ApartmentOutlined />, permission: 'platform.tenant:read' },
      { path: '/plugins', label: 'nav.plugins', icon: <AppstoreOutlined />, permission: 'platform.plugin:read' },
      { path: '/routes', label: 'nav.routes', icon: <BranchesOutlined />, permission: 'platform.route:read' },
    ],
  },
  {
    label: 'nav.group_operations',
    items: [
      { path: '/plugins/health', label: 'nav.plugin_health', icon: <HeartOutlined />, permission: 'platform:monitor' },
      { path: '/plugins/plans', label: 'nav.plan_limits', icon: <ColumnHeightOutlined />, permission: 'platform.plugin:read' },
      { path: '/plugins/publishers', label: 'nav.publishers', icon: <SafetyCertificateOutlined />, permission: 'platform.plugin:read' },
      { path: '/isolation', label: 'nav.isolation', icon: <SafetyOutlined />, permission: 'platform:monitor' },
      { path: '/jobs', label: 'nav.jobs', icon: <ScheduleOutlined />, permission: 'platform:monitor' },
      { path: '/audit', label: 'nav.audit', icon: <AuditOutlined />, permission: 'platform.audit:read' },
    ],
  },
];

export const tenantNav: NavGroup[] = [
  {
    items: [
      { path: '/', label: 'nav.home', icon: <HomeOutlined /> },
      { path: '/members', label: 'nav.members', icon: <TeamOutlined />, permission: 'user:read' },
      { path: '/plugins', label: 'nav.plugins', icon: <AppstoreOutlined />, permission: 'plugin:read' },
      { path: '/domains', label: 'nav.domains', icon: <GlobalOutlined />, permission: 'tenant:read' },
    ],
  },
  {
    label: 'nav.group_consumption',
    items: [
      { path: '/usage', label: 'nav.usage', icon: <BarChartOutlined />, permission: 'usage:read' },
      { path: '/quotas', label: 'nav.quotas', icon: <ControlOutlined />, permission: 'usage:read' },
      { path: '/orders', label: 'nav.orders', icon: <CreditCardOutlined />, permission: 'order:read' },
    ],
  },
  {
    label: 'nav.group_insight',
    items: [
      { path: '/reports', label: 'nav.reports', icon: <FileTextOutlined />, permission: 'report:read' },
      { path: '/audit', label: 'nav.audit', icon: <AuditOutlined />, permission: 'audit:read' },
    ],
  },
];

/** The item a page belongs to: the one with the longest path above it. */
export function activeItem(groups: NavGroup[], path: string): string | undefined {
  const above = (item: string) => (item === '/' ? path === '/' || path === '' : path === item || path.startsWith(`${item}/`));
  return groups
    .flatMap((g) => g.items.map((i) => i.path))
    .filter(above)
    .sort((a, b) => b.length - a.length)[0];
}
