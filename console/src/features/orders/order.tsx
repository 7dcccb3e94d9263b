/** One order: paying it, watching it, asking the provider when nobody called back. */
import { ReloadOutlined } from '@ant-design/icons';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Button } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Order } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { formatMoney } from '@/shared/format';
import { useLive } from '@/shared/live/live';
import { useAction } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { Id } from '@/shared/ui/copyable';
import { Link } from '@/shared/ui/link';
import { ObjectHeader } from '@/shared/ui/object-header';
import { Facts, Section } from '@/shared/ui/page';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { RelativeTime } from '@/shared/ui/time';
import { followStep, PaymentAction, readStep } from './payment-action';

/** Paying again while the outcome is unknown could charge twice: then only the provider is asked. */
const PAYABLE = new Set(['draft', 'pending', 'failed']);
const CANCELLABLE = new Set(['draft', 'pending', 'unknown']);

export function OrderPage() {
  const { t } = useT();
  const scope = useScope();
  const client = useQueryClient();
  const { order: id } = useParams({ strict: false }) as { order: string };
  const [cancelling, setCancelling] = useState(false);
  const key = [scope.key, 'orders', id];
  const path = { params: { path: { order: id } } };
  const query = useQuery({
    queryKey: key,
    queryFn: () => take(scope.api.GET('/api/v1/orders/{order}', path)),
    // The live stream tells; this is the net below it.
    refetchInterval: (q) => (q.state.data && (q.state.data.status === 'pending' || q.state.data.status === 'unknown') ? 5000 : false),
  });
  useLive<{ id?: string }>(['order'], (event) => {
    if (!event.id || event.id === id) void client.invalidateQueries({ queryKey: key });
  });
  const store = (order: Order) => client.setQueryData(key, order);
  const pay = useAction({
    run: () => take(scope.api.POST('/api/v1/orders/{order}/pay', path)),
    after: (order) => {
      store(order);
      const next = readStep(order.action);
      if (next) followStep(next);
    },
  });
  const refresh = useAction({ run: () => take(scope.api.POST('/api/v1/orders/{order}/refresh', path)), after: store, done: () => t('orders.refreshed') });
  const cancel = useAction({
    run: () => take(scope.api.POST('/api/v1/orders/{order}/cancel', path)),
    after: (order) => {
      store(order);
      setCancelling(false);
    },
    done: () => t('orders.cancelled'),
  });
  const installation = useQuery({
    queryKey: [scope.key, 'installations', query.data?.installation],
    queryFn: () => take(scope.api.GET('/api/v1/installations/{installation}', { params: { path: { installation: query.data!.installation } } })),
    enabled: !!query.data && scope.can('plugin:read'),
  });
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <PageSkeleton />;
  const o = query.data;
  const step = o.status === 'pending' ? readStep(o.action) : null;
  const number = `#${o.number}`;
  const writable = scope.can('order:write');
  return (
    <div className="page">
      <ObjectHeader
        title={<span className="num">{t('orders.order', { number })}</span>}
        name={t('orders.order', { number })}
        id={o.id}
        status={o.status}
        actions={
          writable && (
            <>
              {PAYABLE.has(o.status) && (
                <Button type="primary" loading={pay.isPending} onClick={() => pay.mutate()} data-testid="order-pay">
                  {t('orders.pay', { amount: formatMoney(o.amount) })}
                </Button>
              )}
              {o.status !== 'draft' && (
                <Button type={o.status === 'unknown' ? 'primary' : 'default'} icon={<ReloadOutlined />} loading={refresh.isPending} onClick={() => refresh.mutate()} data-testid="order-refresh">
                  {t('orders.refresh')}
                </Button>
              )}
              {CANCELLABLE.has(o.status) && (
                <Button onClick={() => setCancelling(true)} data-testid="order-cancel">
                  {t('orders.cancel')}
                </Button>
              )}
            </>
          )
        }
      />
      <div className="split" aria-live="polite">
        <Section title={t('orders.about')}>
          <Facts
            items={[
              [t('orders.amount'), <b key="a" className="num big">{formatMoney(o.amount)}</b>],
              [t('orders.description'), o.description],
              [t('orders.provider'), installation.data ? <Link key="p" to={scope.to(`/plugins/${o.installation}`)}>{installation.data.name}</Link> : <Id key="p" value={o.installation} short />],
              [t('orders.provider_ref'), <Id key="r" value={o.provider_ref} />],
              [t('field.created'), <RelativeTime key="c" value={o.created_at} />],
              [t('orders.paid_at'), <RelativeTime key="d" value={o.paid_at} />],
              [t('orders.paid'), formatMoney(o.paid)],
            ]}
          />
        </Section>
        {step ? (
          <Section title={t('orders.how_to_pay')}>
            <PaymentAction step={step} />
          </Section>
        ) : (
          <Section title={t('orders.what_now')}>
            <p data-testid="order-state">{t(`orders.state_${o.status}` as 'orders.state_draft')}</p>
          </Section>
        )}
      </div>
      <Confirm
        open={cancelling}
        title={t('orders.cancel_title', { number })}
        consequences={t('orders.cancel_text')}
        confirmLabel={t('orders.cancel')}
        busy={cancel.isPending}
        onConfirm={() => cancel.mutate()}
        onCancel={() => setCancelling(false)}
      />
    </div>
  );
}
