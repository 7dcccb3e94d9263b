/** The form of a route. */
import { Button, Checkbox, Drawer, Form, Input, InputNumber, Select } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { take } from '@/api/client';
import type { Route } from '@/api/models';
import type { ApiProblem } from '@/api/problem';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/action';
import { CopyAs } from '@/shared/ui/copy-as';
import { showFieldErrors } from '@/shared/ui/field-errors';
import { ErrorState } from '@/shared/ui/states';

type Values = Pick<Route, 'path_prefix' | 'upstream' | 'tenant' | 'meter' | 'strip_prefix' | 'timeout_ms'>;

export function routeBody(r: Values) {
  return { path_prefix: r.path_prefix, upstream: r.upstream, tenant: r.tenant || null, meter: r.meter, strip_prefix: r.strip_prefix, timeout_ms: r.timeout_ms };
}

const FRESH: Values = { path_prefix: '/v1/', upstream: '', tenant: null, meter: 'api.calls', strip_prefix: false, timeout_ms: 30_000 };

export function RouteForm({ route, onClose }: { route: Route | 'new' | null; onClose: () => void }) {
  const { t } = useT();
  const scope = useScope();
  const [form] = Form.useForm<Values>();
  const values = (Form.useWatch([], form) as Values | undefined) ?? FRESH;
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const existing = route !== null && route !== 'new' ? route : null;
  const tenants = useQuery({
    queryKey: [scope.key, 'tenants', 'choices'],
    queryFn: () => take(scope.api.GET('/api/v1/tenants', { params: { query: { limit: 200 } } })),
    enabled: route !== null,
  });
  const save = useAction({
    run: (v: Values) =>
      existing
        ? take(scope.api.PUT('/api/v1/routes/{route}', { params: { path: { route: existing.id } }, body: routeBody(v) }))
        : take(scope.api.POST('/api/v1/routes', { body: routeBody(v) })),
    invalidate: [[scope.key, 'routes']],
    problem: (p) => {
      setProblem(p);
      showFieldErrors(form, p, ['path_prefix', 'upstream', 'tenant', 'meter', 'timeout_ms']);
      return true;
    },
    done: () => t('word.saved'),
    after: onClose,
  });
  useEffect(() => {
    if (route === null) return;
    setProblem(null);
    form.setFieldsValue(existing ?? FRESH);
  }, [route, existing, form]);
  return (
    <Drawer
      open={route !== null}
      onClose={onClose}
      size={440}
      forceRender
      title={existing ? t('routes.edit') : t('routes.create')}
      footer={
        <div className="row spread">
          <CopyAs method={existing ? 'PUT' : 'POST'} path={existing ? `/api/v1/routes/${existing.id}` : '/api/v1/routes'} body={routeBody(values)} />
          <span className="row">
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="primary" loading={save.isPending} htmlType="submit" form="route-form" data-testid="route-submit">
              {t('action.save')}
            </Button>
          </span>
        </div>
      }
    >
      <Form<Values> id="route-form" form={form} layout="vertical" initialValues={FRESH} onFinish={(v) => save.mutate(v)}>
        {problem && <ErrorState compact error={problem} />}
        <Form.Item name="path_prefix" label={t('routes.path')} extra={t('routes.path_hint')} rules={[{ required: true, pattern: /^\//, message: t('routes.path_rule') }]}>
          <Input className="mono" autoFocus />
        </Form.Item>
        <Form.Item name="upstream" label={t('routes.upstream')} rules={[{ required: true, type: 'url', message: t('schema.url') }]}>
          <Input className="mono" placeholder="http://127.0.0.1:9000" inputMode="url" />
        </Form.Item>
        <Form.Item name="strip_prefix" valuePropName="checked">
          <Checkbox>{t('routes.strip_hint')}</Checkbox>
        </Form.Item>
        <Form.Item name="tenant" label={t('routes.tenant')}>
          <Select allowClear showSearch placeholder={t('routes.all_tenants')} options={(tenants.data?.items ?? []).map((x) => ({ value: x.slug, label: `${x.name} (${x.slug})` }))} />
        </Form.Item>
        <div className="grid-2">
          <Form.Item name="meter" label={t('routes.meter')} rules={[{ required: true, message: t('form.required') }]}>
            <Input className="mono" />
          </Form.Item>
          <Form.Item name="timeout_ms" label={t('routes.timeout_ms')} rules={[{ required: true, message: t('form.required') }]}>
            <InputNumber min={100} max={600_000} step={1000} style={{ width: '100%' }} />
          </Form.Item>
        </div>
      </Form>
    </Drawer>
  );
}
