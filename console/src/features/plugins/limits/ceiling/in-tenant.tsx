/** The operator's ceilings in one tenant, plugin by plugin. */
import { Select } from 'antd';
import type { Api } from '@/api/client';
import type { Plugin, Tenant } from '@/api/models';
import { useScope } from '@/api/scope';
import { versionsOf } from '@/features/plugins/upgrade/versions';
import { localized, useT } from '@/i18n';
import { useSearch } from '@/shared/table/state';
import { Section } from '@/shared/ui/page';
import { EmptyState, ErrorState, PageSkeleton } from '@/shared/ui/states';
import { useCatalogue, useEnabled } from '../lists';
import { declaredOf } from './ceiling';
import { CeilingPanel } from './panel';

/** One version of each plugin, the newest. */
export function newestOfEach(catalogue: Plugin[]): Plugin[] {
  const ids = [...new Set(catalogue.map((p) => p.plugin_id))].sort();
  return ids.flatMap((plugin_id) => versionsOf({ plugin_id }, catalogue).slice(0, 1));
}

export function CeilingsInTenant({ api, tenant }: { api: Api; tenant: Pick<Tenant, 'slug'> }) {
  const { t, locale } = useT();
  const [search, setSearch] = useSearch();
  // Operators who only look at the platform do not see what a tenant has enabled.
  const sees = useScope().can('plugin:read');
  const catalogue = useCatalogue(api);
  const enabled = useEnabled();
  if (catalogue.isError) return <ErrorState compact error={catalogue.error} retry={() => void catalogue.refetch()} />;
  if (!catalogue.data || enabled.isLoading) return <PageSkeleton />;
  const all = newestOfEach(catalogue.data);
  const used = new Set(enabled.data?.map((i) => i.plugin_id));
  const shown = all.filter((p) => used.has(p.plugin_id) || p.plugin_id === search.plugin);
  const others = all.filter((p) => !used.has(p.plugin_id));
  const choose = sees ? t('ceiling.choose_plugin') : t('ceiling.choose_any');
  const name = (p: Plugin) => localized(p.name, locale, p.plugin_id);
  return (
    <Section title={t('ceiling.in_tenant')}>
      <p className="muted">{t('ceiling.both_hold')}</p>
      {sees && shown.length === 0 && <EmptyState text={all.length === 0 ? t('plugins.catalogue_empty') : t('ceiling.none_enabled')} />}
      <div className="stack loose">
        {shown.map((p) => (
          <div key={p.plugin_id} data-row={p.plugin_id}>
            <h3>
              {name(p)} <code className="muted">{p.plugin_id}</code>
            </h3>
            <CeilingPanel api={api} whose={{ plugin: p.plugin_id, tenant: tenant.slug }} declared={declaredOf(p)} />
          </div>
        ))}
        {others.length > 0 && (
          <Select
            allowClear
            aria-label={choose}
            placeholder={choose}
            value={others.some((p) => p.plugin_id === search.plugin) ? search.plugin : null}
            options={others.map((p) => ({ value: p.plugin_id, label: `${name(p)} (${p.plugin_id})` }))}
            onChange={(plugin: string | undefined) => setSearch(plugin ? { plugin } : {}, true)}
            data-testid="ceiling-choose-plugin"
          />
        )}
      </div>
    </Section>
  );
}
