/** A new tenant: name, address, plan, and optionally its first owner. */
import { Button, Collapse, Drawer, Form, Input, Select } from 'antd';
import { useEffect, useState } from 'react';
import { take } from '@/api/client';
import type { ApiProblem } from '@/api/problem';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/act/action';
import { CopyAs } from '@/shared/ui/act/copy-as';
import { showFieldErrors } from '@/shared/ui/form/field-errors';
import { useGo } from '@/shared/ui/link';
import { ErrorState } from '@/shared/ui/states';
import { useUnsavedGuard } from '@/shared/ui/form/unsaved';
import { CURRENCIES, PLANS, slugify, timeZones } from './choices';

interface Values {
  name: string;
  slug: string;
  plan: string;
  locale: string;
  time_zone: string;
  currency: string;
  isolation: string;
  owner?: { email?: string; name?: string; password?: string };
}

function body(v: Values) {
  const { owner, ...rest } = v;
  const filled = owner?.email ? { email: owner.email, name: owner.name ?? '', password: owner.password || undefined } : undefined;
  return { ...rest, ...(filled ? { owner: filled } : {}) } as never;
}

export function CreateTenant({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t, tv, locale } = useT();
  const scope = useScope();
  const go = useGo();
  const [form] = Form.useForm<Values>();
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [touchedSlug, setTouchedSlug] = useState(false);
  const [dirty, setDirty] = useState(false);
  const values = Form.useWatch([], form) as Values | undefined;
  const guard = useUnsavedGuard(open && dirty);
  const create = useAction({
    run: (v: Values) => take(scope.api.POST('/api/v1/tenants', { body: body(v) })),
    invalidate: [[scope.key, 'tenants'], [scope.key, 'overview']],
    problem: (p) => {
      setProblem(p);
      showFieldErrors(form, p, ['name', 'slug', 'plan', 'locale', 'time_zone', 'currency', 'isolation', 'owner.email', 'owner.name', 'owner.password']);
      return true;
    },
    done: (tenant) => t('tenants.created', { name: tenant.name }),
    after: (tenant) => {
      setDirty(false);
      onClose();
      go(`/tenants/${tenant.slug}`);
    },
  });
  useEffect(() => {
    if (!open) return;
    form.resetFields();
    setProblem(null);
    setTouchedSlug(false);
    setDirty(false);
  }, [open, form]);

  const close = () => guard.leave(onClose);
  return (
    <Drawer
      open={open}
      onClose={close}
      title={t('tenants.create')}
      size={480}
      forceRender
      afterOpenChange={(now) => {
        // Rendered before it is opened, so the field can't ask for the focus itself.
        if (now) (form.getFieldInstance('name') as { focus(): void } | null)?.focus();
      }}
      footer={
        <div className="row spread">
          <CopyAs
            method="POST"
            path="/api/v1/tenants"
            body={values ? body(values) : {}}
            cli={['tenant', 'create', values?.slug || 'SLUG', '--name', values?.name || 'NAME', '--plan', values?.plan ?? 'free']}
          />
          <span className="row">
            <Button onClick={close}>{t('action.cancel')}</Button>
            <Button type="primary" loading={create.isPending} htmlType="submit" form="tenant-form" data-testid="tenant-submit">
              {t('action.create')}
            </Button>
          </span>
        </div>
      }
    >
      <Form<Values>
        id="tenant-form"
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ plan: 'free', locale, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC', currency: locale === 'zh' ? 'CNY' : 'USD', isolation: 'database' }}
        onValuesChange={(changed: Partial<Values>) => {
          setDirty(true);
          if (changed.slug !== undefined) setTouchedSlug(true);
          if (changed.name !== undefined && !touchedSlug) form.setFieldValue('slug', slugify(changed.name));
        }}
        onFinish={(v) => {
          setProblem(null);
          create.mutate(v);
        }}
        onKeyDown={(e) => {
          if ((e.ctrlKey || e.metaKey) && e.key === 's') {
            e.preventDefault();
            form.submit();
          }
        }}
        data-testid="tenant-form"
      >
        {problem && <ErrorState compact error={problem} />}
        <Form.Item name="name" label={t('field.name')} rules={[{ required: true, message: t('form.required') }]}>
          <Input placeholder="Acme Robotics" autoComplete="off" />
        </Form.Item>
        <Form.Item
          name="slug"
          label={t('tenants.slug')}
          extra={t('tenants.slug_hint', { host: `${values?.slug || 'acme'}.${location.hostname}` })}
          rules={[
            { required: true, message: t('form.required') },
            { pattern: /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, message: t('tenants.slug_rule') },
          ]}
        >
          <Input className="mono" placeholder="acme" autoComplete="off" spellCheck={false} />
        </Form.Item>
        <div className="grid-2">
          <Form.Item name="plan" label={t('tenants.plan')}>
            <Select options={PLANS.map((value) => ({ value, label: tv('plan', value) }))} />
          </Form.Item>
          <Form.Item name="currency" label={t('tenants.currency')}>
            <Select showSearch options={CURRENCIES.map((value) => ({ value, label: value }))} />
          </Form.Item>
          <Form.Item name="locale" label={t('tenants.locale')}>
            <Select
              options={[
                { value: 'en', label: 'English' },
                { value: 'zh', label: '中文' },
              ]}
            />
          </Form.Item>
          <Form.Item name="time_zone" label={t('tenants.time_zone')}>
            <Select showSearch virtual options={timeZones().map((value) => ({ value, label: value }))} />
          </Form.Item>
        </div>
        <Collapse
          ghost
          size="small"
          defaultActiveKey={['owner']}
          className="flat-collapse"
          items={[
            {
              key: 'owner',
              label: t('tenants.owner'),
              forceRender: true,
              children: (
                <>
                  <div className="grid-2">
                    <Form.Item name={['owner', 'name']} label={t('field.name')} rules={[({ getFieldValue }) => ({ validator: (_, v) => (getFieldValue(['owner', 'email']) && !v ? Promise.reject(new Error(t('form.required'))) : Promise.resolve()) })]}>
                      <Input autoComplete="off" />
                    </Form.Item>
                    <Form.Item name={['owner', 'email']} label={t('field.email')} rules={[{ type: 'email', message: t('setup.email_rule') }]}>
                      <Input autoComplete="off" inputMode="email" />
                    </Form.Item>
                  </div>
                  <Form.Item name={['owner', 'password']} label={t('field.password')} extra={t('tenants.owner_password')} rules={[{ min: 12, message: t('password.short') }]}>
                    <Input.Password autoComplete="new-password" />
                  </Form.Item>
                </>
              ),
            },
            {
              key: 'more',
              label: t('tenants.more'),
              forceRender: true,
              children: (
                <Form.Item name="isolation" label={t('tenants.isolation')} extra={t('tenants.isolation_hint')}>
                  <Select options={['database', 'schema', 'row'].map((value) => ({ value, label: tv('isolation', value) }))} />
                </Form.Item>
              ),
            },
          ]}
        />
      </Form>
    </Drawer>
  );
}
