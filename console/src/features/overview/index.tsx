/** The operator's first page: the business and the machine at a glance, live. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { take } from '@/api/client';
import type { Overview } from '@/api/models';
import { useScope } from '@/api/scope';
import { RecentEvents } from '@/features/audit/recent';
import { useT } from '@/i18n';
import { formatBytes, formatDuration, formatMoney, formatNumber } from '@/shared/format';
import { useLive } from '@/shared/live/live';
import { Link } from '@/shared/ui/link';
import { Facts, Page, Section, Stats } from '@/shared/ui/page';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { Checklist } from './checklist';
import { useRate } from './rate';

const LiveLine = lazy(() => import('@/shared/charts/live-line'));
const MINUTES = 10;

export function OverviewPage() {
  const { t, tv } = useT();
  const scope = useScope();
  const client = useQueryClient();
  const key = [scope.key, 'overview'];
  const query = useQuery({ queryKey: key, queryFn: () => take(scope.api.GET('/api/v1/platform/overview')), refetchInterval: 30_000 });
  useLive<Overview>(['overview'], (data) => client.setQueryData(key, data));
  const rate = useRate(query.data ? (query.data.usage_today.calls ?? 0) : undefined, query.dataUpdatedAt, MINUTES * 60);
  if (query.isError && !query.data) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <PageSkeleton />;
  const o = query.data;
  const used = Object.entries(o.usage_today).filter(([, n]) => n > 0);
  return (
    <Page title={t('nav.overview')} description={t('overview.description')}>
      <Checklist
        title={t('overview.first_steps')}
        steps={[
          { done: o.tenants.total > 0, label: t('overview.step_tenant'), to: '/tenants', search: { new: '1' } },
          { done: o.plugins > 0, label: t('overview.step_plugin'), to: '/plugins', search: { upload: '1' } },
          { done: (o.usage_today.calls ?? 0) > 0 || o.orders_30d.count > 0, label: t('overview.step_route'), to: '/routes' },
        ]}
      />
      <Stats
        items={[
          { label: t('overview.tenants'), value: <Link to="/tenants">{formatNumber(o.tenants.total)}</Link>, hint: t('overview.active', { n: o.tenants.by_status.active ?? 0 }), testId: 'stat-tenants' },
          { label: t('overview.calls_today'), value: formatNumber(o.usage_today.calls ?? 0), hint: t('overview.rate', { n: Math.round(rate.values.at(-1) ?? 0) }), testId: 'stat-calls' },
          { label: t('overview.orders_30d'), value: <Sums paid={o.orders_30d.paid} />, hint: t('overview.orders_count', { n: o.orders_30d.count }) },
          { label: t('overview.plugins'), value: <Link to="/plugins">{formatNumber(o.plugins)}</Link> },
          {
            label: t('overview.jobs'),
            value: <Link to="/jobs">{formatNumber(o.jobs.running + o.jobs.ready)}</Link>,
            hint: o.jobs.dead > 0 ? <Link to="/jobs" search={{ state: 'dead' }} className="bad">{t('overview.jobs_dead', { n: o.jobs.dead })}</Link> : t('overview.jobs_none_dead'),
          },
        ]}
      />
      <div className="split">
        <div className="stack loose">
          <Section title={t('overview.live')} extra={<span className="muted small">{t('overview.live_hint', { n: MINUTES })}</span>}>
            {rate.times.length > 1 ? (
              <Suspense fallback={<div style={{ height: 180 }} />}>
                <LiveLine times={rate.times} values={rate.values} height={180} label={t('overview.live')} />
              </Suspense>
            ) : (
              <div className="wait" style={{ height: 180 }}>
                {t('overview.live_wait')}
              </div>
            )}
          </Section>
          <div className="grid-2">
            <Section title={t('overview.usage_today')}>
              {used.length === 0 ? <p className="muted">{t('overview.nothing_used')}</p> : <Facts items={used.map(([meter, n]) => [tv('meter', meter), formatNumber(n)])} />}
            </Section>
            <Section title={t('overview.node')}>
              <Facts
                items={[
                  [t('overview.version'), o.node.version],
                  [t('overview.uptime'), formatDuration(o.node.uptime_s)],
                  [t('overview.memory'), formatBytes(o.node.rss_bytes)],
                  [t('overview.store'), tv('store', o.node.store)],
                ]}
              />
            </Section>
          </div>
        </div>
        <Section title={t('audit.recent')}>
          <RecentEvents to="/audit" limit={12} />
        </Section>
      </div>
    </Page>
  );
}

/** One sum per currency: they are never added up. */
function Sums({ paid }: { paid: Overview['orders_30d']['paid'] }) {
  if (paid.length === 0) return '–';
  return (
    <span className="sums">
      {paid.map((money) => (
        <span key={money.currency}>{formatMoney(money)}</span>
      ))}
    </span>
  );
}
