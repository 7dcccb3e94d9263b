/** Gateway routes: which path goes to which upstream, and what it counts as. */
import { DeleteOutlined, EditOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Tag } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Route } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { useAction, useUndo } from '@/shared/ui/act/action';
import { Id } from '@/shared/ui/copyable';
import { Link } from '@/shared/ui/link';
import { Page } from '@/shared/ui/page';
import { RouteForm, routeBody } from './form';

export function RoutesPage() {
  const { t } = useT();
  const scope = useScope();
  const undo = useUndo();
  const [editing, setEditing] = useState<Route | 'new' | null>(null);
  const writable = scope.can('platform.route:write');
  const remove = useAction({
    run: (route: Route) => take(scope.api.DELETE('/api/v1/routes/{route}', { params: { path: { route: route.id } } })),
    invalidate: [[scope.key, 'routes']],
    after: (_, route) => undo(t('routes.removed', { path: route.path_prefix }), () => take(scope.api.POST('/api/v1/routes', { body: routeBody(route) }))),
  });
  const columns: Column<Route>[] = [
    { key: 'path_prefix', title: t('routes.path'), csv: (r) => r.path_prefix, render: (r) => <code className="strong">{r.path_prefix}</code> },
    {
      key: 'upstream',
      title: t('routes.upstream'),
      csv: (r) => r.upstream,
      render: (r) => (
        <span className="row">
          <code>{r.upstream}</code>
          {r.strip_prefix && <Tag>{t('routes.strip')}</Tag>}
        </span>
      ),
    },
    { key: 'tenant', title: t('routes.tenant'), csv: (r) => r.tenant, render: (r) => (r.tenant ? <Link to={`/tenants/${r.tenant}`}>{r.tenant}</Link> : <span className="muted">{t('routes.all_tenants')}</span>) },
    { key: 'meter', title: t('routes.meter'), csv: (r) => r.meter, render: (r) => <code>{r.meter}</code> },
    { key: 'timeout_ms', title: t('routes.timeout'), align: 'right', csv: (r) => r.timeout_ms, render: (r) => `${r.timeout_ms / 1000} s` },
    { key: 'id', title: t('field.id'), csv: (r) => r.id, render: (r) => <Id value={r.id} short /> },
    ...(writable
      ? [
          {
            key: 'actions',
            title: '',
            align: 'right' as const,
            render: (r: Route) => (
              <span className="row end">
                <Button type="text" size="small" icon={<EditOutlined />} aria-label={`${t('action.edit')}: ${r.path_prefix}`} onClick={() => setEditing(r)} />
                <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={`${t('action.delete')}: ${r.path_prefix}`} onClick={() => remove.mutate(r)} />
              </span>
            ),
          },
        ]
      : []),
  ];
  const create = writable && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setEditing('new')} data-testid="route-create">
      {t('routes.create')}
    </Button>
  );
  return (
    <Page title={t('nav.routes')} description={t('routes.description')} actions={create}>
      <ServerTable<Route>
        id="routes"
        columns={columns}
        load={() => take(scope.api.GET('/api/v1/routes'))}
        rowKey={(r) => r.id}
        onOpen={writable ? setEditing : undefined}
        empty={{ text: t('routes.empty'), action: create }}
      />
      {editing && <RouteForm route={editing} onClose={() => setEditing(null)} />}
    </Page>
  );
}
