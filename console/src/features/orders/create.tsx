/** A new order: how much, for what, through which payment plugin. */
import { useQuery } from '@tanstack/react-query';
import { Button, Drawer, Form, Input, Select } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import { take } from '@/api/client';
import type { ApiProblem } from '@/api/problem';
import { useScope } from '@/api/scope';
import { CURRENCIES } from '@/features/tenants/choices';
import { useT } from '@/i18n';
import { formatMoney, parseMoney } from '@/shared/format';
import { useAction } from '@/shared/ui/act/action';
import { CopyAs } from '@/shared/ui/act/copy-as';
import { showFieldErrors } from '@/shared/ui/form/field-errors';
import { Link, useGo } from '@/shared/ui/link';
import { ErrorState } from '@/shared/ui/states';

interface Values {
  amount: string;
  currency: string;
  description: string;
  installation: string;
}

export function CreateOrder({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useT();
  const scope = useScope();
  const go = useGo();
  const [form] = Form.useForm<Values>();
  const values = Form.useWatch([], form) as Values | undefined;
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  // One key per opened form: a second click on a slow connection makes no second order.
  const key = useMemo(() => (open ? crypto.randomUUID() : ''), [open]);
  const providers = useQuery({
    queryKey: [scope.key, 'installations', 'payment'],
    queryFn: () => take(scope.api.GET('/api/v1/installations', { params: { query: { limit: 200, kind: 'payment' } } })),
    enabled: open,
    select: (page) => page.items.filter((i) => i.status === 'active'),
  });
  const tenant = useQuery({ queryKey: [scope.key, 'tenant'], queryFn: () => take(scope.api.GET('/api/v1/tenant')), enabled: open && scope.can('tenant:read') });
  const body = (v: Values) => ({ amount: { minor: parseMoney(v.amount ?? '', v.currency) ?? 0, currency: v.currency }, description: v.description, installation: v.installation, idempotency_key: key });
  const create = useAction({
    run: (v: Values) => take(scope.api.POST('/api/v1/orders', { body: body(v) })),
    invalidate: [[scope.key, 'orders']],
    problem: (p) => {
      setProblem(p);
      showFieldErrors(form, p, ['amount', 'currency', 'description', 'installation']);
      return true;
    },
    after: (order) => {
      onClose();
      go(scope.to(`/orders/${order.id}`));
    },
  });
  const choices = providers.data ?? [];
  useEffect(() => {
    if (open && choices.length === 1 && !form.getFieldValue('installation')) form.setFieldValue('installation', choices[0]!.id);
  }, [open, choices, form]);
  const currency = tenant.data?.currency;
  useEffect(() => {
    // The tenant's own currency, unless another was chosen already.
    if (open && currency && !form.isFieldTouched('currency')) form.setFieldValue('currency', currency);
  }, [open, currency, form]);
  const minor = values ? parseMoney(values.amount ?? '', values.currency) : null;
  return (
    <Drawer
      open={open}
      onClose={onClose}
      size={440}
      destroyOnHidden
      title={t('orders.create')}
      afterOpenChange={(now) => !now && setProblem(null)}
      footer={
        <div className="row spread">
          <CopyAs method="POST" path="/api/v1/orders" body={values?.currency ? body(values) : {}} />
          <span className="row">
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="primary" loading={create.isPending} htmlType="submit" form="order-form" data-testid="order-submit">
              {minor ? t('orders.create_for', { amount: formatMoney({ minor, currency: values!.currency }) }) : t('action.create')}
            </Button>
          </span>
        </div>
      }
    >
      <Form<Values> id="order-form" form={form} layout="vertical" preserve={false} initialValues={{ currency: 'USD' }} onFinish={(v) => create.mutate(v)}>
        {problem && <ErrorState compact error={problem} />}
        <div className="grid-2">
          <Form.Item
            name="amount"
            label={t('orders.amount')}
            dependencies={['currency']}
            rules={[
              { required: true, message: t('form.required') },
              ({ getFieldValue }) => ({ validator: (_, v: string) => (!v || (parseMoney(v, getFieldValue('currency') as string) ?? 0) > 0 ? Promise.resolve() : Promise.reject(new Error(t('orders.amount_rule')))) }),
            ]}
          >
            <Input inputMode="decimal" placeholder="99.00" autoComplete="off" className="num" autoFocus />
          </Form.Item>
          <Form.Item name="currency" label={t('tenants.currency')} required>
            <Select showSearch options={CURRENCIES.map((value) => ({ value, label: value }))} />
          </Form.Item>
        </div>
        <Form.Item name="description" label={t('orders.description')} rules={[{ required: true, message: t('form.required') }]}>
          <Input maxLength={200} autoComplete="off" />
        </Form.Item>
        <Form.Item
          name="installation"
          label={t('orders.provider')}
          extra={providers.data && choices.length === 0 ? <Link to={scope.to('/plugins/enable')}>{t('orders.no_provider')}</Link> : undefined}
          rules={[{ required: true, message: t('form.required') }]}
        >
          <Select options={choices.map((i) => ({ value: i.id, label: i.name }))} loading={providers.isPending} data-testid="order-provider" />
        </Form.Item>
      </Form>
    </Drawer>
  );
}
