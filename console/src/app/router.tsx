/** The two route trees. Pages are loaded when they are first visited. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, type AnyRoute } from '@tanstack/react-router';
import { parseSearch, stringifySearch } from '@/shared/table/state';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { NotFound } from './not-found';
import { Shell } from './shell';

type Lazy = ReturnType<typeof lazyRouteComponent>;
type PageDef = [path: string, page: Lazy];

const access = () => import('@/features/access');
const tenants = () => import('@/features/tenants');
const plugins = () => import('@/features/plugins');
const runtime = () => import('@/features/plugins/runtime');
const members = () => import('@/features/members');
const usage = () => import('@/features/usage');
const orders = () => import('@/features/orders');
const reports = () => import('@/features/reports');
const audit = () => import('@/features/audit');

/** Pages of one tenant; the operator reaches the same ones below `/tenants/$slug`. */
const tenantPages: PageDef[] = [
  ['plugins', lazyRouteComponent(plugins, 'InstallationsPage')],
  ['plugins/enable', lazyRouteComponent(plugins, 'EnablePage')],
  ['plugins/$installation', lazyRouteComponent(plugins, 'InstallationPage')],
  ['usage', lazyRouteComponent(usage, 'UsagePage')],
  ['quotas', lazyRouteComponent(usage, 'QuotasPage')],
  ['orders', lazyRouteComponent(orders, 'OrdersPage')],
  ['orders/$order', lazyRouteComponent(orders, 'OrderPage')],
  ['reports', lazyRouteComponent(reports, 'ReportsPage')],
  ['domains', lazyRouteComponent(() => import('@/features/domains'), 'DomainsPage')],
  ['audit', lazyRouteComponent(audit, 'TenantAuditPage')],
];

const operatorPages: PageDef[] = [
  ['/', lazyRouteComponent(() => import('@/features/overview'), 'OverviewPage')],
  ['tenants', lazyRouteComponent(tenants, 'TenantsPage')],
  ['plugins', lazyRouteComponent(plugins, 'CataloguePage')],
  ['plugins/health', lazyRouteComponent(runtime, 'HealthPage')],
  ['plugins/plans', lazyRouteComponent(() => import('@/features/plugins/limits'), 'PlansPage')],
  ['plugins/publishers', lazyRouteComponent(runtime, 'PublishersPage')],
  ['plugins/$plugin', lazyRouteComponent(plugins, 'PluginPage')],
  ['routes', lazyRouteComponent(() => import('@/features/gateway'), 'RoutesPage')],
  ['isolation', lazyRouteComponent(() => import('@/features/isolation'), 'IsolationPage')],
  ['jobs', lazyRouteComponent(() => import('@/features/jobs'), 'JobsPage')],
  ['audit', lazyRouteComponent(audit, 'PlatformAuditPage')],
];

export function createConsoleRouter(realm: 'operator' | 'tenant', basepath: string) {
  const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });
  const setup = createRoute({ getParentRoute: () => root, path: 'setup', component: lazyRouteComponent(access, 'SetupPage') });
  const login = createRoute({ getParentRoute: () => root, path: 'login', component: lazyRouteComponent(access, 'LoginPage') });
  const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell });
  const below = (parent: AnyRoute, pages: PageDef[]): AnyRoute[] =>
    pages.map(([path, component]) => createRoute({ getParentRoute: () => parent, path, component } as never) as unknown as AnyRoute);

  // The tree is put together at run time, so the router's compile-time paths are given up here (and only here).
  const frame = shell as unknown as AnyRoute;
  let children: AnyRoute[];
  if (realm === 'operator') {
    const tenant = createRoute({ getParentRoute: () => frame, path: 'tenants/$slug', component: lazyRouteComponent(tenants, 'TenantLayout') } as never) as unknown as AnyRoute;
    const summary: PageDef[] = [
      ['/', lazyRouteComponent(tenants, 'TenantSummary')],
      ['members', lazyRouteComponent(members, 'MembersPage')],
      ['limits', lazyRouteComponent(tenants, 'TenantLimits')],
    ];
    children = [...below(frame, operatorPages), tenant.addChildren(below(tenant, [...summary, ...tenantPages]) as never) as unknown as AnyRoute];
  } else {
    const home: PageDef[] = [
      ['/', lazyRouteComponent(() => import('@/features/home'), 'HomePage')],
      ['members', lazyRouteComponent(members, 'MembersPage')],
    ];
    children = below(frame, [...home, ...tenantPages]);
  }

  return createRouter({
    routeTree: root.addChildren([setup, login, shell.addChildren(children as never)] as never) as unknown as AnyRoute,
    basepath,
    parseSearch,
    stringifySearch,
    defaultPendingComponent: PageSkeleton,
    defaultPendingMs: 100,
    defaultPreload: 'intent',
    defaultErrorComponent: ({ error, reset }) => <ErrorState error={error} retry={reset} />,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });
}
