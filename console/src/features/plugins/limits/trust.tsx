/** How far the publishers of a tenant's plugins have to be trusted. */
import { useQuery } from '@tanstack/react-query';
import { Radio } from 'antd';
import { take, type Api } from '@/api/client';
import type { Installation, Plugin, Tenant } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { formatList } from '@/shared/format';
import { useAction, useUndo } from '@/shared/ui/act/action';
import { Section } from '@/shared/ui/page';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { useCatalogue, useEnabled } from './lists';

export const DEMANDS = ['development', 'community', 'verified', 'core'] as const;

const rank = (tier: string) => Math.max(0, DEMANDS.indexOf(tier as 'core'));

/** What is enabled though its signature is worth less than is demanded: it goes on, and cannot be changed. */
export function below(demand: string, enabled: Pick<Installation, 'name' | 'digest'>[], catalogue: Pick<Plugin, 'digest' | 'tier'>[]): { name: string; tier: string }[] {
  return enabled.flatMap(({ name, digest }) => {
    const tier = catalogue.find((p) => p.digest === digest)?.tier;
    return tier !== undefined && rank(tier) < rank(demand) ? [{ name, tier }] : [];
  });
}

export function Trust({ api, tenant }: { api: Api; tenant: Pick<Tenant, 'slug'> }) {
  const { t, tv } = useT();
  const scope = useScope();
  const undo = useUndo();
  const params = { params: { path: { tenant: tenant.slug } } };
  const key = ['root', 'trust', tenant.slug];
  const trust = useQuery({ queryKey: key, queryFn: () => take(api.GET('/api/v1/tenants/{tenant}/plugin-trust', params)) });
  const publishers = useQuery({ queryKey: ['root', 'publishers', 'trust'], queryFn: () => take(api.GET('/api/v1/publishers')) });
  const enabled = useEnabled();
  const catalogue = useCatalogue(api);
  const put = (min_tier: string) => take(api.PUT('/api/v1/tenants/{tenant}/plugin-trust', { ...params, body: { min_tier } }));
  const save = useAction({
    run: ({ to }: { to: string; from: string }) => put(to),
    invalidate: [key],
    after: (_, { from }) => undo(t('demand.saved'), () => put(from)),
  });
  if (trust.isError) return <ErrorState compact error={trust.error} retry={() => void trust.refetch()} />;
  if (!trust.data) return <PageSkeleton />;
  const now = trust.data.min_tier;
  const weaker = below(now, enabled.data ?? [], catalogue.data ?? []);
  const label = (value: string) => (
    <span className="two-line">
      <b>{tv('demand', value)}</b>
      <span className="muted small">{tv('demand_text', value)}</span>
    </span>
  );
  return (
    <Section title={t('demand.title')}>
      <div className="stack" data-testid="tenant-trust" data-tier={now}>
        {scope.can('platform.plugin:write') ? (
          <Radio.Group className="stack tight" value={now} disabled={save.isPending} aria-label={t('demand.title')} onChange={(e) => save.mutate({ to: String(e.target.value), from: now })} options={DEMANDS.map((value) => ({ value, label: label(value) }))} />
        ) : (
          label(now)
        )}
        {publishers.data && (
          <div className="muted small">
            <p>{tv('trust', publishers.data.trust)}</p>
            <p>{t('demand.stricter')}</p>
          </div>
        )}
        {weaker.length > 0 && (
          <p className="small" data-testid="trust-below">
            {t('demand.below', { names: formatList(weaker.map((w) => `${w.name} (${tv('tier', w.tier)})`)) })}
          </p>
        )}
      </div>
    </Section>
  );
}
