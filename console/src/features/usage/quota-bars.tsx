/** Quotas as bars: used, left, and when the window starts again. */
import { useQuery } from '@tanstack/react-query';
import { take } from '@/api/client';
import type { Quota } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { formatBytes, formatNumber } from '@/shared/format';
import { useLiveRefresh } from '@/shared/live/live';
import { Meter } from '@/shared/ui/meter';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { RelativeTime } from '@/shared/ui/time';

export function useQuotas() {
  const scope = useScope();
  const key = [scope.key, 'quotas'];
  useLiveRefresh(['usage'], key);
  return useQuery({ queryKey: key, queryFn: () => take(scope.api.GET('/api/v1/quotas')) });
}

export function quantity(n: number, unit: string): string {
  return unit === 'bytes' || unit === 'byte' || unit === 'By' ? formatBytes(n) : formatNumber(n);
}

/** `plain` leaves out what the row around it already says. */
export function QuotaBar({ quota, plain = false }: { quota: Quota; plain?: boolean }) {
  const { t, tv } = useT();
  const limit = quota.limit ?? null;
  return (
    <Meter
      testId={`quota-${quota.meter}`}
      label={tv('meter', quota.meter)}
      used={quota.used}
      limit={limit}
      format={(n) => quantity(n, quota.unit)}
      plain={plain}
      hint={
        !plain && quota.reset_at && limit !== null ? (
          <>
            {t('quotas.resets')} <RelativeTime value={quota.reset_at} />
          </>
        ) : undefined
      }
    />
  );
}

export function QuotaBars() {
  const { t } = useT();
  const quotas = useQuotas();
  if (quotas.isError) return <ErrorState compact error={quotas.error} retry={() => void quotas.refetch()} />;
  if (!quotas.data) return <PageSkeleton />;
  if (quotas.data.items.length === 0) return <p className="muted">{t('quotas.empty')}</p>;
  return (
    <div className="stack loose">
      {quotas.data.items.map((q) => (
        <QuotaBar key={q.meter} quota={q} />
      ))}
    </div>
  );
}
