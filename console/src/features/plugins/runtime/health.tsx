/** How the plugin runtime does: what is missing or out of service, which operations fail, who uses most. */
import { useQuery } from '@tanstack/react-query';
import { Button, Segmented, Tag } from 'antd';
import { take } from '@/api/client';
import { useScope } from '@/api/scope';
import { localized, useT } from '@/i18n';
import { formatNumber } from '@/shared/format';
import { useSearch } from '@/shared/table/state';
import { Link, useGo } from '@/shared/ui/link';
import { Notice } from '@/shared/ui/notice';
import { Page, Section, Stats } from '@/shared/ui/page';
import { EmptyState, ErrorState, PageSkeleton } from '@/shared/ui/states';
import { Status } from '@/shared/ui/status';
import { Consumers } from './consumers';
import { BY, figureOf, WINDOWS, type By, type Span } from './figures';
import { loadFigures, type OpenBreaker } from './metrics';
import { loadReadiness, missingPlugins } from './readiness';

const EVERY = 5000;

export function HealthPage() {
  const { t, locale } = useT();
  const scope = useScope();
  const go = useGo();
  const [search, setSearch] = useSearch();
  const by = BY.find((b) => b === search.by) ?? 'calls';
  const span = WINDOWS.find((w) => w === search.window) ?? '5m';
  const readsPlugins = scope.can('platform.plugin:read');
  const top = useQuery({
    queryKey: [scope.key, 'runtime', 'top', by, span],
    queryFn: () => take(scope.api.GET('/api/v1/platform/plugins/top', { params: { query: { by, window: span, limit: 50 } } })),
    placeholderData: (old) => old,
    refetchInterval: EVERY,
  });
  const figures = useQuery({ queryKey: ['runtime', 'metrics'], queryFn: loadFigures, refetchInterval: EVERY, retry: false });
  const readiness = useQuery({ queryKey: ['runtime', 'readiness'], queryFn: loadReadiness, refetchInterval: EVERY * 2, retry: false });
  const plugins = useQuery({
    queryKey: [scope.key, 'plugins', 'held'],
    queryFn: () => take(scope.api.GET('/api/v1/plugins', { params: { query: { limit: 200 } } })),
    enabled: readsPlugins,
    refetchInterval: EVERY * 2,
  });
  const missing = readiness.data ? missingPlugins(readiness.data) : [];
  const held = (plugins.data?.items ?? []).filter((p) => p.quarantined);
  const consumers = top.data?.items ?? [];
  const calls = consumers.reduce((sum, c) => sum + c.calls, 0);
  const errors = consumers.reduce((sum, c) => sum + c.errors, 0);
  const pool = figures.data;
  const number = (n: number | null | undefined) => (typeof n === 'number' ? formatNumber(n) : '–');
  return (
    <Page title={t('nav.plugin_health')} description={t('health.description')}>
      {missing.map((m) => (
        <Notice
          key={m.text}
          tone="bad"
          testId="health-missing"
          title={m.plugin ? t('health.missing', { plugin: m.plugin }) : t('health.missing_unknown')}
          actions={
            m.problem && scope.can('platform.plugin:write') && (
              <Button onClick={() => go('/plugins', { upload: '1' })}>{t('plugins.upload')}</Button>
            )
          }
        >
          <p className="muted">{m.problem === 'not_installed' ? t('health.not_installed') : m.problem === 'not_loaded' ? t('health.not_loaded') : m.text}</p>
        </Notice>
      ))}
      {held.map((p) => (
        <Notice key={p.id} tone="warn" testId="health-held" title={t('health.held', { name: localized(p.name, locale, p.plugin_id), version: p.version })} actions={<Link to={`/plugins/${p.id}`}>{t('plugins.open')}</Link>}>
          <p className="muted">{t('held.reason', { reason: p.quarantined ?? '' })}</p>
        </Notice>
      ))}
      <Stats
        items={[
          { label: t('health.instances'), value: pool ? <>{number(pool.instances)} <span className="muted small">/ {number(pool.capacity)}</span></> : '–', hint: t('health.instances_hint'), testId: 'health-instances' },
          { label: t('health.components'), value: number(pool?.components) },
          { label: t('health.calls'), value: number(top.data ? calls : null), hint: t(`health.window_${span}`) },
          { label: t('health.errors'), value: <span className={errors > 0 ? 'bad' : undefined}>{number(top.data ? errors : null)}</span>, hint: t(`health.window_${span}`) },
          { label: t('health.breakers'), value: <span className={pool && pool.breakers.length > 0 ? 'bad' : undefined}>{number(pool?.breakers.length)}</span>, testId: 'health-breakers' },
        ]}
      />
      <div className="stack loose">
        <Section title={t('health.breakers_title')}>
          {figures.isError ? <p className="muted">{t('health.no_metrics')}</p> : pool ? <Breakers breakers={pool.breakers} /> : <PageSkeleton />}
        </Section>
        <Section
          title={t('health.top')}
          extra={
            <>
              <Segmented<By> size="small" aria-label={t('health.by')} value={by} onChange={(v) => setSearch({ ...search, by: v }, true)} options={BY.map((value) => ({ value, label: t(`health.by_${value}`) }))} data-testid="health-by" />
              <Segmented<Span> size="small" aria-label={t('health.window')} value={span} onChange={(v) => setSearch({ ...search, window: v }, true)} options={WINDOWS.map((value) => ({ value, label: t(`health.window_${value}`) }))} data-testid="health-window" />
            </>
          }
        >
          {top.isError ? (
            <ErrorState error={top.error} retry={() => void top.refetch()} />
          ) : !top.data ? (
            <PageSkeleton />
          ) : consumers.length === 0 ? (
            <EmptyState text={t('health.nobody')} />
          ) : (
            <Consumers items={consumers} by={by} most={Math.max(...consumers.map((c) => figureOf(c, by)))} />
          )}
          <p className="muted small">{t('health.node_only')}</p>
        </Section>
      </div>
    </Page>
  );
}

function Breakers({ breakers }: { breakers: OpenBreaker[] }) {
  const { t } = useT();
  if (breakers.length === 0) return <p className="muted">{t('health.no_breakers')}</p>;
  return (
    <div className="wide-table">
    <table className="plain" data-testid="health-breaker-list">
      <thead>
        <tr>
          <th>{t('routes.tenant')}</th>
          <th>{t('calls.plugin')}</th>
          <th>{t('plugins.operation')}</th>
          <th>{t('field.status')}</th>
        </tr>
      </thead>
      <tbody>
        {breakers.map((b) => (
          <tr key={`${b.tenant} ${b.plugin} ${b.operation}`}>
            <td>{b.tenant === 'other' ? <Tag>{t('health.other')}</Tag> : <Link to={`/tenants/${b.tenant}/plugins`}>{b.tenant}</Link>}</td>
            <td>
              <code>{b.plugin}</code>
            </td>
            <td>
              <code>{b.operation}</code>
            </td>
            <td>
              <Status value={b.probing ? 'half_open' : 'open'} prefix="breaker" />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
    </div>
  );
}
