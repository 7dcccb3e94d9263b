/** The operator's limits on a plugin: in every tenant, and in one of them. */
import { useQuery } from '@tanstack/react-query';
import { Select } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Plugin } from '@/api/models';
import { useScope } from '@/api/scope';
import { Capabilities } from '@/features/plugins/parts/capabilities';
import { useT } from '@/i18n';
import { useSearch } from '@/shared/table/state';
import { Link } from '@/shared/ui/link';
import { Section } from '@/shared/ui/page';
import { declaredOf } from './ceiling';
import { CeilingPanel } from './panel';

export default function Limits({ plugin }: { plugin: Plugin }) {
  const { t } = useT();
  const scope = useScope();
  // The tenant stands in the address, so that what was set there can be shown to a colleague.
  const [search, setSearch] = useSearch();
  const tenant = search.tenant || null;
  const declared = declaredOf(plugin);
  return (
    <div className="split">
      <div className="stack loose">
        <Section title={t('ceiling.everywhere')}>
          <p className="muted">{t('ceiling.layers')}</p>
          <CeilingPanel api={scope.api} whose={{ plugin: plugin.plugin_id, tenant: null }} declared={declared} />
        </Section>
        {scope.can('platform.tenant:read') && (
          <Section title={t('ceiling.one_tenant')}>
            <p className="muted">{t('ceiling.both_hold')}</p>
            <div className="stack">
              <TenantChoice value={tenant} onChange={(slug) => setSearch(slug ? { ...search, tenant: slug } : { tab: search.tab ?? 'limits' })} />
              {tenant && <CeilingPanel key={tenant} api={scope.api} whose={{ plugin: plugin.plugin_id, tenant }} declared={declared} />}
            </div>
          </Section>
        )}
      </div>
      <Section title={t('plugins.asks')}>
        <Capabilities manifest={plugin.manifest} schema={plugin.config_schema} />
        <p className="muted small">
          {t('ceiling.plans_too')} <Link to="/plugins/plans">{t('nav.plan_limits')}</Link>
        </p>
      </Section>
    </div>
  );
}

function TenantChoice({ value, onChange }: { value: string | null; onChange: (slug: string | null) => void }) {
  const { t } = useT();
  const scope = useScope();
  const [q, setQ] = useState('');
  const found = useQuery({
    queryKey: [scope.key, 'tenants', 'choices', q],
    queryFn: () => take(scope.api.GET('/api/v1/tenants', { params: { query: { limit: 50, ...(q ? { q } : {}) } } })),
    placeholderData: (old) => old,
  });
  return (
    <Select
      showSearch={{ filterOption: false, onSearch: setQ }}
      allowClear
      aria-label={t('ceiling.choose_tenant')}
      placeholder={t('ceiling.choose_tenant')}
      value={value}
      options={(found.data?.items ?? []).map((x) => ({ value: x.slug, label: `${x.name} (${x.slug})` }))}
      onChange={(slug: string | undefined) => onChange(slug ?? null)}
      data-testid="ceiling-choose-tenant"
    />
  );
}
