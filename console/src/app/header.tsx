/** The top bar: where I am, the palette, whether the live stream is open, preferences, account. */
import { QuestionCircleOutlined, SearchOutlined, UserOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { useRouterState } from '@tanstack/react-router';
import { Button, Dropdown, Tooltip } from 'antd';
import { take } from '@/api/client';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useLive, useLiveState } from '@/shared/live/live';
import { useAction } from '@/shared/ui/act/action';
import { Link, useGo } from '@/shared/ui/link';
import { useConsole } from './console';
import { operatorNav, tenantNav } from './nav';
import { Preferences } from './preferences';

export function Header({ onPalette, onKeys }: { onPalette: () => void; onKeys: () => void }) {
  const { t } = useT();
  const mac = /Mac|iPhone|iPad/.test(navigator.userAgent);
  return (
    <header className="topbar">
      <Crumbs />
      <button type="button" className="palette-trigger" onClick={onPalette} data-testid="palette-open">
        <SearchOutlined />
        <span>{t('palette.placeholder')}</span>
        <kbd>{mac ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      <div className="topbar-end">
        <LiveDot />
        <Button type="text" icon={<QuestionCircleOutlined />} aria-label={t('keys.title')} onClick={onKeys} />
        <Preferences />
        <Account />
      </div>
    </header>
  );
}

function Crumbs() {
  const { t } = useT();
  const { meta } = useConsole();
  const path = useRouterState({ select: (s) => s.location.pathname });
  const nav = (meta.realm === 'operator' ? operatorNav : tenantNav).flatMap((g) => g.items);
  const parts = path.split('/').filter(Boolean);
  const crumbs: { to: string; text: string }[] = [];
  parts.forEach((part, i) => {
    const to = `/${parts.slice(0, i + 1).join('/')}`;
    const below = meta.realm === 'operator' && parts[0] === 'tenants' && i >= 2 ? tenantNav.flatMap((g) => g.items) : nav;
    const item = (i > 0 ? nav.find((n) => n.path === to) : undefined) ?? below.find((n) => n.path === (i === 0 ? to : `/${part}`) && (i === 0 || i === 2));
    crumbs.push({ to, text: item ? t(item.label as 'nav.overview') : part === 'enable' ? t('plugins.enable') : part === 'limits' ? t('limits.tab') : part.length > 24 ? `${part.slice(0, 4)}…${part.slice(-6)}` : part });
  });
  return (
    <nav className="crumbs" aria-label={t('shell.breadcrumbs')}>
      {crumbs.length > 1 &&
        crumbs.map((c, i) => (
          <span key={c.to}>
            {i < crumbs.length - 1 ? <Link to={c.to}>{c.text}</Link> : <span aria-current="page">{c.text}</span>}
            {i < crumbs.length - 1 && <i aria-hidden>/</i>}
          </span>
        ))}
    </nav>
  );
}

function LiveDot() {
  const { t } = useT();
  // Being here keeps one stream open for the whole console.
  useLive(['heartbeat'], () => undefined);
  const state = useLiveState() ?? 'connecting';
  const text = t(`live.${state}`);
  return (
    <Tooltip title={t(`live.${state}_hint`)}>
      <span className={`live live-${state}`} role="status" aria-live="off" tabIndex={0}>
        <i aria-hidden />
        {text}
      </span>
    </Tooltip>
  );
}

function Account() {
  const { t, tv } = useT();
  const scope = useScope();
  const { handle } = useConsole();
  const client = useQueryClient();
  const go = useGo();
  const { user } = scope.session;
  const signOut = useAction({
    run: () => take(handle.api.DELETE('/api/v1/session')),
    after: () => {
      handle.csrf.token = null;
      client.removeQueries({ predicate: (q) => q.queryKey[0] !== 'meta' });
      go('/login');
    },
  });
  return (
    <Dropdown
      trigger={['click']}
      placement="bottomRight"
      menu={{
        items: [
          {
            key: 'me',
            type: 'group',
            label: (
              <span className="account-card">
                <b>{user.name}</b>
                <span>{user.email}</span>
                <span>{tv('role', user.role)}</span>
              </span>
            ),
          },
          { type: 'divider' },
          { key: 'out', label: t('action.sign_out'), 'data-testid': 'sign-out' } as never,
        ],
        onClick: ({ key }) => key === 'out' && signOut.mutate(),
      }}
    >
      <Button type="text" icon={<UserOutlined />} aria-label={t('shell.account')} data-testid="account">
        <span className="account-name">{user.name}</span>
      </Button>
    </Dropdown>
  );
}
