/** The frame around every signed-in page: sidebar, top bar, palette; sends people without a session to sign in. */
import { useQuery } from '@tanstack/react-query';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { take } from '@/api/client';
import { asProblem } from '@/api/problem';
import { makeScope, ScopeProvider } from '@/api/scope';
import { useT } from '@/i18n';
import { Link, useGo } from '@/shared/ui/link';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { useConsole } from './console';
import { Header } from './header';
import { Logo } from './logo';
import { activeItem, operatorNav, tenantNav, type NavGroup } from './nav';
import { SetupNeeded } from './setup-needed';
import { useShortcuts } from './shortcuts';

const Palette = lazy(() => import('./palette'));
const Keys = lazy(() => import('./keys'));

export function Shell() {
  const { meta, handle } = useConsole();
  const { t } = useT();
  const go = useGo();
  const location = useRouterState({ select: (s) => s.location });
  const [palette, setPalette] = useState(false);
  const [keys, setKeys] = useState(false);
  useShortcuts({ onPalette: () => setPalette((v) => !v), onHelp: () => setKeys(true), onGo: go, realm: meta.realm });

  const session = useQuery({
    queryKey: ['session'],
    queryFn: async () => {
      const answer = await take(handle.api.GET('/api/v1/session'));
      handle.csrf.token = answer.csrf_token;
      return answer;
    },
    staleTime: 60_000,
    refetchInterval: 300_000,
    retry: (count, error) => count < 2 && asProblem(error).status !== 401,
    enabled: !meta.setup_needed,
  });
  const signedOut = session.isError && asProblem(session.error).status === 401;
  useEffect(() => {
    if (signedOut) go('/login', { return: location.href, ...(asProblem(session.error).code === 'session_expired' ? { error: 'session_expired' } : {}) }, true);
    // Only the moment the session ends matters, not later moves.
  }, [signedOut]);
  const scope = useMemo(() => (session.data ? makeScope(handle, session.data, '') : null), [session.data, handle]);

  if (meta.setup_needed) return <SetupNeeded />;
  if (session.isError && !signedOut) {
    return (
      <main className="lone">
        <ErrorState error={session.error} retry={() => void session.refetch()} />
      </main>
    );
  }
  if (!scope) {
    return (
      <main className="lone">
        <PageSkeleton />
      </main>
    );
  }
  return (
    <ScopeProvider scope={scope}>
      <a className="skip-link" href="#main">
        {t('shell.skip')}
      </a>
      {meta.demo && (
        <div className="demo-banner" role="note" data-testid="demo-banner">
          <strong>{t('shell.demo')}</strong> {t('shell.demo_text')}
        </div>
      )}
      <div className="shell">
        <Sidebar groups={meta.realm === 'operator' ? operatorNav : tenantNav} path={location.pathname} can={scope.can} tenantName={meta.tenant?.name} version={meta.version} />
        <div className="column">
          <Header onPalette={() => setPalette(true)} onKeys={() => setKeys(true)} />
          <main id="main" tabIndex={-1}>
            <Suspense fallback={<PageSkeleton />}>
              <Outlet />
            </Suspense>
          </main>
        </div>
      </div>
      <Suspense>
        {palette && <Palette onClose={() => setPalette(false)} />}
        {keys && <Keys onClose={() => setKeys(false)} />}
      </Suspense>
    </ScopeProvider>
  );
}

interface SidebarProps {
  groups: NavGroup[];
  path: string;
  can: (permission: string) => boolean;
  tenantName?: string;
  version: string;
}

function Sidebar({ groups, path, can, tenantName, version }: SidebarProps) {
  const { t } = useT();
  const current = activeItem(groups, path);
  const active = (item: string) => item === current;
  return (
    <nav className="sidebar" aria-label={t('shell.navigation')}>
      <Link to="/" className="brand">
        <Logo />
        <span>
          <b>aistack</b>
          <small>{tenantName ?? t('shell.operator')}</small>
        </span>
      </Link>
      {groups.map((group, i) => {
        const items = group.items.filter((item) => !item.permission || can(item.permission));
        if (items.length === 0) return null;
        return (
          <div key={group.label ?? i} className="nav-group">
            {group.label && <div className="nav-label">{t(group.label as 'nav.group_operations')}</div>}
            {items.map((item) => (
              <Link key={item.path} to={item.path} className={active(item.path) ? 'nav-item active' : 'nav-item'} aria-current={active(item.path) ? 'page' : undefined}>
                {item.icon}
                <span>{t(item.label as 'nav.overview')}</span>
              </Link>
            ))}
          </div>
        );
      })}
      <div className="sidebar-foot muted small">v{version}</div>
    </nav>
  );
}
