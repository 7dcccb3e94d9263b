/** The form of a route. */
import { Checkbox, Form, Input, InputNumber, Select } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { take } from '@/api/client';
import type { Route } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { FormDrawer } from '@/shared/ui/form/drawer';

type Values = Pick<Route, 'path_prefix' | 'upstream' | 'tenant' | 'meter' | 'strip_prefix' | 'timeout_ms'>;

export function routeBody(r: Values) {
  return { path_prefix: r.path_prefix, upstream: r.upstream, tenant: r.tenant || null, meter: r.meter, strip_prefix: r.strip_prefix, timeout_ms: r.timeout_ms };
}

const FRESH: Values = { path_prefix: '/v1/', upstream: '', tenant: null, meter: 'api.calls', strip_prefix: false, timeout_ms: 30_000 };

export function RouteForm({ route, onClose }: { route: Route | 'new'; onClose: () => void }) {
  const { t } = useT();
  const scope = useScope();
  const existing = route === 'new' ? null : route;
  const tenants = useQuery({
    queryKey: [scope.key, 'tenants', 'choices'],
    queryFn: () => take(scope.api.GET('/api/v1/tenants', { params: { query: { limit: 200 } } })),
  });
  return (
    <FormDrawer<Values, Route>
      name="route"
      title={existing ? t('routes.edit') : t('routes.create')}
      initial={existing ? routeBody(existing) : FRESH}
      fields={['path_prefix', 'upstream', 'tenant', 'meter', 'timeout_ms']}
      run={(v) =>
        existing
          ? take(scope.api.PUT('/api/v1/routes/{route}', { params: { path: { route: existing.id } }, body: routeBody(v) }))
          : take(scope.api.POST('/api/v1/routes', { body: routeBody(v) }))
      }
      invalidate={[[scope.key, 'routes']]}
      done={() => t('word.saved')}
      copy={(v) => ({ method: existing ? 'PUT' : 'POST', path: existing ? `/api/v1/routes/${existing.id}` : '/api/v1/routes', body: routeBody(v) })}
      onClose={onClose}
    >
      {() => (
        <>
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
        </>
      )}
    </FormDrawer>
  );
}
