/** Limits of this tenant; operators may change them. */
import { EditOutlined } from '@ant-design/icons';
import { Button, Checkbox, InputNumber, Modal, Table } from 'antd';
import { useEffect, useId, useState } from 'react';
import { take } from '@/api/client';
import type { Quota } from '@/api/models';
import { useScope } from '@/api/scope';
import { PluginBudgetSection } from '@/features/plugins/limits/budget';
import { useT } from '@/i18n';
import { useAction, useUndo } from '@/shared/ui/act/action';
import { CopyAs } from '@/shared/ui/act/copy-as';
import { Page } from '@/shared/ui/page';
import { EmptyState, ErrorState, PageSkeleton } from '@/shared/ui/states';
import { RelativeTime } from '@/shared/ui/time';
import { quantity, QuotaBar, useQuotas } from './quota-bars';

export function QuotasPage() {
  const { t, tv } = useT();
  const scope = useScope();
  const quotas = useQuotas();
  const undo = useUndo();
  const [editing, setEditing] = useState<Quota | null>(null);
  const writable = scope.can('quota:write');
  const put = (meter: string, limit: number | null) => take(scope.api.PUT('/api/v1/quotas/{meter}', { params: { path: { meter } }, body: { limit } }));
  const save = useAction({
    run: (input: { quota: Quota; limit: number | null }) => put(input.quota.meter, input.limit),
    invalidate: [[scope.key, 'quotas']],
    after: (_, { quota }) => {
      setEditing(null);
      undo(t('quotas.changed', { meter: tv('meter', quota.meter) }), () => put(quota.meter, quota.limit ?? null));
    },
  });
  return (
    <Page title={t('nav.quotas')} description={writable ? t('quotas.description_operator') : t('quotas.description')}>
      {quotas.isError ? (
        <ErrorState error={quotas.error} retry={() => void quotas.refetch()} />
      ) : !quotas.data ? (
        <PageSkeleton />
      ) : quotas.data.items.length === 0 ? (
        <EmptyState text={t('quotas.empty')} />
      ) : (
        <Table<Quota>
          size="small"
          rowKey="meter"
          pagination={false}
          dataSource={quotas.data.items}
          columns={[
            { key: 'meter', title: t('routes.meter'), render: (_, q) => <span className="two-line"><span className="strong">{tv('meter', q.meter)}</span><code className="muted small">{q.meter}</code></span> },
            { key: 'kind', title: t('field.kind'), render: (_, q) => tv('quota_kind', q.kind) },
            { key: 'bar', title: t('quotas.used'), width: '40%', render: (_, q) => <QuotaBar quota={q} plain /> },
            { key: 'remaining', title: t('quotas.remaining'), align: 'right', render: (_, q) => (q.remaining === null || q.remaining === undefined ? t('word.unlimited') : quantity(q.remaining, q.unit)) },
            { key: 'reset', title: t('quotas.reset'), render: (_, q) => (q.reset_at ? <RelativeTime value={q.reset_at} /> : <span className="muted">–</span>) },
            ...(writable
              ? [
                  {
                    key: 'edit',
                    title: '',
                    align: 'right' as const,
                    render: (_: unknown, q: Quota) => (
                      <Button size="small" icon={<EditOutlined />} onClick={() => setEditing(q)} data-testid={`quota-edit-${q.meter}`}>
                        {t('quotas.set')}
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
        />
      )}
      <div className="gap-above">
        <PluginBudgetSection />
      </div>
      <QuotaDialog quota={editing} busy={save.isPending} onClose={() => setEditing(null)} onSave={(limit) => editing && save.mutate({ quota: editing, limit })} />
    </Page>
  );
}

function QuotaDialog({ quota, busy, onClose, onSave }: { quota: Quota | null; busy: boolean; onClose: () => void; onSave: (limit: number | null) => void }) {
  const { t, tv } = useT();
  const id = useId();
  const [limit, setLimit] = useState<number | null>(null);
  const [unlimited, setUnlimited] = useState(false);
  useEffect(() => {
    setLimit(quota?.limit ?? null);
    setUnlimited(quota?.limit === null || quota?.limit === undefined);
  }, [quota]);
  return (
    <Modal
      open={quota !== null}
      title={quota ? t('quotas.set_title', { meter: tv('meter', quota.meter) }) : ''}
      okText={t('action.save')}
      cancelText={t('action.cancel')}
      confirmLoading={busy}
      okButtonProps={{ disabled: !unlimited && limit === null, 'data-testid': 'quota-save' }}
      onOk={() => onSave(unlimited ? null : limit)}
      onCancel={onClose}
      width={420}
    >
      {quota && (
        <div className="stack">
          <p className="muted">{t('quotas.now_used', { n: quantity(quota.used, quota.unit) })}</p>
          <label htmlFor={id} className="field">
            <span>
              {t('quotas.limit')} ({tv('unit', quota.unit)})
            </span>
            <InputNumber id={id} style={{ width: 200 }} min={0} precision={0} disabled={unlimited} value={limit} onChange={setLimit} data-testid="quota-limit" />
          </label>
          <Checkbox checked={unlimited} onChange={(e) => setUnlimited(e.target.checked)}>
            {t('word.unlimited')}
          </Checkbox>
          <div className="row">
            <CopyAs method="PUT" path={`/api/v1/quotas/${quota.meter}`} body={{ limit: unlimited ? null : limit }} cli={['quota', 'set', quota.meter, unlimited ? 'unlimited' : String(limit ?? 0)]} />
          </div>
        </div>
      )}
    </Modal>
  );
}
