/** All tenants, and making a new one. */
import { PlusOutlined } from '@ant-design/icons';
import { Button, Tag } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Tenant } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { useSearch } from '@/shared/table/state';
import { Id } from '@/shared/ui/copyable';
import { Link } from '@/shared/ui/link';
import { Page } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';
import { CreateTenant } from './create';

const STATUSES = ['active', 'suspended', 'past_due', 'read_only', 'pending_verification', 'pending_approval', 'provisioning', 'closing'];

export function TenantsPage() {
  const { t, tv } = useT();
  const scope = useScope();
  const [search, setSearch] = useSearch();
  const [asked, ask] = useState(false);
  // The palette leads here by the address, also when this page is shown already.
  const open = asked || search.new === '1';
  const canCreate = scope.can('platform.tenant:write');

  const columns: Column<Tenant>[] = [
    {
      key: 'name',
      title: t('field.name'),
      csv: (r) => r.name,
      render: (r) => (
        <span className="two-line">
          <Link to={`/tenants/${r.slug}`} className="strong">
            {r.name}
          </Link>
          <code className="muted small">{r.slug}</code>
        </span>
      ),
    },
    { key: 'slug', title: t('tenants.slug'), csv: (r) => r.slug, render: (r) => <code>{r.slug}</code>, hidden: true },
    { key: 'status', title: t('field.status'), csv: (r) => r.status, render: (r) => <Status value={r.status} /> },
    { key: 'plan', title: t('tenants.plan'), csv: (r) => r.plan, render: (r) => tv('plan', r.plan) },
    { key: 'isolation', title: t('tenants.isolation'), csv: (r) => r.isolation, render: (r) => tv('isolation', r.isolation) },
    { key: 'locale', title: t('tenants.locale'), csv: (r) => r.locale, render: (r) => tv('language', r.locale) },
    { key: 'currency', title: t('tenants.currency'), csv: (r) => r.currency, render: (r) => r.currency, hidden: true },
    { key: 'demo', title: t('tenants.demo'), csv: (r) => r.demo, render: (r) => (r.demo ? <Tag>{t('tenants.demo')}</Tag> : null), hidden: true },
    { key: 'created_at', title: t('field.created'), sort: true, csv: (r) => r.created_at, render: (r) => <RelativeTime value={r.created_at} /> },
    { key: 'id', title: t('field.id'), csv: (r) => r.id, render: (r) => <Id value={r.id} short /> },
  ];
  const create = canCreate && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => ask(true)} data-testid="tenant-create">
      {t('tenants.create')}
    </Button>
  );
  return (
    <Page title={t('nav.tenants')} description={t('tenants.description')} actions={create}>
      <ServerTable<Tenant>
        id="tenants"
        columns={columns}
        load={(query) => take(scope.api.GET('/api/v1/tenants', { params: { query } }))}
        rowKey={(r) => r.id}
        href={(r) => `/tenants/${r.slug}`}
        defaultSort="-created_at"
        searchLabel={t('tenants.search')}
        filters={[{ name: 'status', label: t('field.status'), options: STATUSES.map((value) => ({ value, label: tv('status', value) })) }]}
        empty={{ text: t('tenants.empty'), action: create }}
      />
      <CreateTenant
        open={open}
        onClose={() => {
          ask(false);
          if (search.new) setSearch({}, true);
        }}
      />
    </Page>
  );
}
