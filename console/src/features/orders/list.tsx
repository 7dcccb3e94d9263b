/** All orders of the tenant. */
import { PlusOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Order } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { formatMoney } from '@/shared/format';
import { useLiveRefresh } from '@/shared/live/live';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { useSearch } from '@/shared/table/state';
import { Id } from '@/shared/ui/copyable';
import { Link } from '@/shared/ui/link';
import { Page } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';
import { CreateOrder } from './create';

export function OrdersPage() {
  const { t, tv } = useT();
  const scope = useScope();
  const [search, setSearch] = useSearch();
  const [asked, ask] = useState(false);
  // The palette leads here by the address, also when this page is shown already.
  const creating = asked || search.new === '1';
  useLiveRefresh(['order'], [scope.key, 'orders']);
  const columns: Column<Order>[] = [
    {
      key: 'number',
      title: t('orders.number'),
      csv: (r) => r.number,
      render: (r) => (
        <Link to={scope.to(`/orders/${r.id}`)} className="strong num">
          #{r.number}
        </Link>
      ),
    },
    { key: 'description', title: t('orders.description'), csv: (r) => r.description, render: (r) => <span className="clip">{r.description}</span> },
    { key: 'status', title: t('field.status'), csv: (r) => r.status, render: (r) => <Status value={r.status} /> },
    { key: 'amount', title: t('orders.amount'), align: 'right', csv: (r) => `${r.amount.minor} ${r.amount.currency}`, render: (r) => <b className="num">{formatMoney(r.amount)}</b> },
    { key: 'created_at', title: t('field.created'), sort: true, csv: (r) => r.created_at, render: (r) => <RelativeTime value={r.created_at} /> },
    { key: 'paid_at', title: t('orders.paid_at'), csv: (r) => r.paid_at, render: (r) => <RelativeTime value={r.paid_at} /> },
    { key: 'provider_ref', title: t('orders.provider_ref'), csv: (r) => r.provider_ref, render: (r) => <Id value={r.provider_ref} short />, hidden: true },
    { key: 'id', title: t('field.id'), csv: (r) => r.id, render: (r) => <Id value={r.id} short />, hidden: true },
  ];
  const create = scope.can('order:write') && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => ask(true)} data-testid="order-create">
      {t('orders.create')}
    </Button>
  );
  return (
    <Page title={t('nav.orders')} description={t('orders.page_description')} actions={create}>
      <ServerTable<Order>
        id="orders"
        columns={columns}
        load={(query) => take(scope.api.GET('/api/v1/orders', { params: { query } }))}
        rowKey={(r) => r.id}
        href={(r) => scope.to(`/orders/${r.id}`)}
        filters={[{ name: 'status', label: t('field.status'), options: ['draft', 'pending', 'paid', 'failed', 'cancelled', 'refunded', 'unknown'].map((value) => ({ value, label: tv('status', value) })) }]}
        empty={{ text: t('orders.empty'), action: create }}
      />
      <CreateOrder
        open={creating}
        onClose={() => {
          ask(false);
          if (search.new) setSearch({}, true);
        }}
      />
    </Page>
  );
}
