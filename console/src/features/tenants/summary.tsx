/** The first tab: what the tenant is, how full it is, what happened last. */
import { EditOutlined } from '@ant-design/icons';
import { Button, Drawer, Form, Input, Select } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import { useScope } from '@/api/scope';
import { useConsole } from '@/app/console';
import { RecentEvents } from '@/features/audit/recent';
import { QuotaBars } from '@/features/usage/quota-bars';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/act/action';
import { Facts, Section } from '@/shared/ui/page';
import { RelativeTime } from '@/shared/ui/time';
import { PLANS, timeZones } from './choices';
import { useTenant } from './layout';

interface Values {
  name: string;
  plan: string;
  locale: string;
  time_zone: string;
}

export function TenantSummary() {
  const { t, tv } = useT();
  const tenant = useTenant();
  const scope = useScope();
  const { handle } = useConsole();
  const [editing, setEditing] = useState(false);
  const [form] = Form.useForm<Values>();
  const save = useAction({
    // Name and plan are the platform's to change, not the tenant's: its own API, not the scoped one.
    run: (v: Values) => take(handle.api.PATCH('/api/v1/tenants/{tenant}', { params: { path: { tenant: tenant.id } }, body: { ...v, if_updated_at: tenant.updated_at } })),
    invalidate: [['root', 'tenants']],
    done: () => t('word.saved'),
    after: () => setEditing(false),
  });
  return (
    <div className="split">
      <div className="stack loose">
        <Section
          title={t('tenants.about')}
          extra={
            scope.can('platform.tenant:write') && (
              <Button type="text" size="small" icon={<EditOutlined />} onClick={() => setEditing(true)} data-testid="tenant-edit">
                {t('action.edit')}
              </Button>
            )
          }
        >
          <Facts
            items={[
              [t('tenants.plan'), tv('plan', tenant.plan)],
              [t('tenants.isolation'), tv('isolation', tenant.isolation)],
              [t('tenants.locale'), tv('language', tenant.locale)],
              [t('tenants.time_zone'), tenant.time_zone],
              [t('tenants.currency'), tenant.currency],
              [t('tenants.users'), tenant.users ?? '–'],
              [t('field.created'), <RelativeTime key="c" value={tenant.created_at} timeZone={tenant.time_zone} />],
              [t('field.updated'), <RelativeTime key="u" value={tenant.updated_at} timeZone={tenant.time_zone} />],
            ]}
          />
        </Section>
        {scope.can('usage:read') && (
          <Section title={t('nav.quotas')}>
            <QuotaBars />
          </Section>
        )}
      </div>
      {scope.can('audit:read') && (
        <Section title={t('audit.recent')}>
          <RecentEvents to={scope.to('/audit')} />
        </Section>
      )}
      <Drawer
        open={editing}
        onClose={() => setEditing(false)}
        title={t('tenants.edit')}
        size={420}
        destroyOnHidden
        footer={
          <div className="row end">
            <Button onClick={() => setEditing(false)}>{t('action.cancel')}</Button>
            <Button type="primary" loading={save.isPending} htmlType="submit" form="tenant-edit-form" data-testid="tenant-save">
              {t('action.save')}
            </Button>
          </div>
        }
      >
        <Form<Values> id="tenant-edit-form" form={form} layout="vertical" initialValues={tenant} onFinish={(v) => save.mutate(v)}>
          <Form.Item name="name" label={t('field.name')} rules={[{ required: true, message: t('form.required') }]}>
            <Input />
          </Form.Item>
          <Form.Item name="plan" label={t('tenants.plan')} required>
            <Select options={PLANS.map((value) => ({ value, label: tv('plan', value) }))} />
          </Form.Item>
          <Form.Item name="locale" label={t('tenants.locale')} required>
            <Select options={[{ value: 'en', label: 'English' }, { value: 'zh', label: '中文' }]} />
          </Form.Item>
          <Form.Item name="time_zone" label={t('tenants.time_zone')} required>
            <Select showSearch options={timeZones().map((value) => ({ value, label: value }))} />
          </Form.Item>
        </Form>
      </Drawer>
    </div>
  );
}
