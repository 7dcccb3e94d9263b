/** Usage over time, per meter, growing while one looks. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Segmented, Select } from 'antd';
import { useMemo } from 'react';
import { take } from '@/api/client';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { SeriesSection } from '@/shared/charts/series';
import { useLiveRefresh } from '@/shared/live/live';
import { periodStart, useSearch } from '@/shared/table/state';
import { Page, Section, Stats } from '@/shared/ui/page';
import { EmptyState, ErrorState, PageSkeleton } from '@/shared/ui/states';
import { quantity, QuotaBars, useQuotas } from './quota-bars';

const PERIODS = ['24h', '7d', '30d', '90d'] as const;
const FALLBACK_METERS = ['api.calls'];

/** A mean per day or hour; a small one keeps a digit, so that three calls in a month are not shown as none a day. */
function mean(total: number, points: number): number {
  const exact = points > 0 ? total / points : 0;
  return exact < 10 ? Math.round(exact * 10) / 10 : Math.round(exact);
}

export function UsagePage() {
  const { t, tv } = useT();
  const scope = useScope();
  const [search, setSearch] = useSearch();
  const quotas = useQuotas();
  // Levels (members, storage) have a value but no history of events.
  const meters = useMemo(() => {
    const known = (quotas.data?.items ?? []).filter((q) => q.kind === 'window').map((q) => q.meter);
    return known.length > 0 ? known : FALLBACK_METERS;
  }, [quotas.data]);
  const meter = search.meter ?? meters[0] ?? FALLBACK_METERS[0]!;
  const period = (PERIODS as readonly string[]).includes(search.period ?? '') ? (search.period as (typeof PERIODS)[number]) : '30d';
  const bucket = period === '24h' || period === '7d' ? 'hour' : 'day';
  const key = [scope.key, 'usage', meter, period];
  const usage = useQuery({
    queryKey: key,
    queryFn: () => take(scope.api.GET('/api/v1/usage', { params: { query: { meter, bucket, from: periodStart(period, Date.now()) } } })),
    placeholderData: keepPreviousData,
  });
  useLiveRefresh(['usage'], [scope.key, 'usage']);
  const points = usage.data?.points ?? [];
  const peak = points.reduce((max, p) => Math.max(max, p.quantity), 0);
  const unit = usage.data?.unit ?? '';
  return (
    <Page
      title={t('nav.usage')}
      description={t('usage.description')}
      actions={
        <>
          <Select aria-label={t('routes.meter')} value={meter} options={meters.map((m) => ({ value: m, label: tv('meter', m) }))} onChange={(m: string) => setSearch({ ...search, meter: m })} popupMatchSelectWidth={false} data-testid="usage-meter" />
          <Segmented value={period} options={PERIODS.map((p) => ({ value: p, label: t(`period.${p}`) }))} onChange={(p) => setSearch({ ...search, period: p })} />
        </>
      }
    >
      {usage.isError ? (
        <ErrorState error={usage.error} retry={() => void usage.refetch()} />
      ) : !usage.data ? (
        <PageSkeleton />
      ) : (
        <>
          <Stats
            items={[
              { label: t('usage.total'), value: quantity(usage.data.total, unit), hint: t(`period.${period}`), testId: 'usage-total' },
              { label: bucket === 'day' ? t('usage.peak_day') : t('usage.peak_hour'), value: quantity(peak, unit) },
              { label: bucket === 'day' ? t('usage.mean_day') : t('usage.mean_hour'), value: quantity(mean(usage.data.total, points.length), unit) },
            ]}
          />
          <div className="split">
            {usage.data.total === 0 ? (
              <Section title={tv('meter', meter)}>
                <EmptyState text={t('usage.empty')} />
              </Section>
            ) : (
              <SeriesSection title={tv('meter', meter)} points={points} unit={unit} label={tv('meter', meter)} bucket={bucket} />
            )}
            <Section title={t('nav.quotas')}>
              <QuotaBars />
            </Section>
          </div>
        </>
      )}
    </Page>
  );
}
