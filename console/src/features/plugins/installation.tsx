/** One enabled plugin: its settings, what it was granted, its addresses, its health and last calls. */
import { MoreOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Button, Dropdown, Tabs, Tag } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Call, Installation } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { formatBytes, formatMicros, formatNumber } from '@/shared/format';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { useAction, useUndo } from '@/shared/ui/action';
import { Confirm } from '@/shared/ui/confirm';
import { Id } from '@/shared/ui/copyable';
import { useGo } from '@/shared/ui/link';
import { ObjectHeader } from '@/shared/ui/object-header';
import { Section, Stats } from '@/shared/ui/page';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';
import { Settings } from './settings';
import { Capabilities } from './parts/capabilities';
import { CheckPanel } from './parts/check';
import { Endpoints } from './parts/endpoints';
import { Grants } from './parts/grants';
import { KindMark } from './parts/kind-mark';

export function InstallationPage() {
  const { t, tv } = useT();
  const scope = useScope();
  const go = useGo();
  const undo = useUndo();
  const { installation: id } = useParams({ strict: false }) as { installation: string };
  const [removing, setRemoving] = useState(false);
  const key = [scope.key, 'installations', id];
  const query = useQuery({ queryKey: key, queryFn: () => take(scope.api.GET('/api/v1/installations/{installation}', { params: { path: { installation: id } } })) });
  const available = useQuery({ queryKey: [scope.key, 'available'], queryFn: () => take(scope.api.GET('/api/v1/plugins/available', { params: { query: { limit: 200 } } })) });
  const patch = (status: Installation['status']) => take(scope.api.PATCH('/api/v1/installations/{installation}', { params: { path: { installation: id } }, body: { status } }));
  const toggle = useAction({
    run: patch,
    invalidate: [[scope.key, 'installations']],
    after: (_, status) => undo(status === 'disabled' ? t('plugins.disabled') : t('plugins.enabled'), () => patch(status === 'disabled' ? 'active' : 'disabled')),
  });
  const remove = useAction({
    run: () => take(scope.api.DELETE('/api/v1/installations/{installation}', { params: { path: { installation: id } } })),
    done: () => t('plugins.uninstalled'),
    invalidate: [[scope.key, 'installations', 'list']],
    after: () => go(scope.to('/plugins')),
  });
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <PageSkeleton />;
  const i = query.data;
  const plugin = available.data?.items.find((p) => p.digest === i.digest) ?? available.data?.items.find((p) => p.plugin_id === i.plugin_id && p.version === i.version);
  const active = i.status === 'active';
  return (
    <div className="page">
      <ObjectHeader
        title={
          <span className="row">
            <KindMark kind={i.kind} /> {i.name}
          </span>
        }
        name={i.name}
        id={i.id}
        status={i.status}
        tags={<Tag>{i.version}</Tag>}
        meta={<code className="muted">{i.plugin_id}</code>}
        actions={
          scope.can('plugin:write') && (
            <>
              <Button loading={toggle.isPending} onClick={() => toggle.mutate(active ? 'disabled' : 'active')} data-testid="installation-toggle">
                {active ? t('action.disable') : t('action.enable')}
              </Button>
              <Dropdown trigger={['click']} menu={{ items: [{ key: 'remove', label: t('plugins.uninstall'), danger: true }], onClick: () => setRemoving(true) }}>
                <Button icon={<MoreOutlined />} aria-label={t('action.more')} />
              </Dropdown>
            </>
          )
        }
      />
      <Stats
        items={[
          { label: t('plugins.health'), value: <Status value={i.health.breaker} prefix="breaker" /> },
          { label: t('plugins.calls_24h'), value: formatNumber(i.health.calls_24h) },
          { label: t('plugins.failures_24h'), value: formatNumber(i.health.failures_24h) },
          { label: t('field.kind'), value: <span className="stat-text">{tv('kind', i.kind)}</span> },
        ]}
      />
      <Tabs
        size="small"
        items={[
          { key: 'settings', label: t('plugins.tab_settings'), children: plugin || available.isFetched ? <Settings installation={i} plugin={plugin} /> : <PageSkeleton /> },
          {
            key: 'addresses',
            label: t('plugins.tab_addresses'),
            children: (
              <Section>
                <Endpoints installation={i} />
              </Section>
            ),
          },
          {
            key: 'grants',
            label: t('plugins.tab_grants'),
            children: (
              <div className="split">
                <Section title={t('plugins.asks')}>{plugin ? <Capabilities manifest={plugin.manifest} schema={plugin.config_schema} /> : null}</Section>
                <Section title={t('plugins.granted')}>
                  <Grants key={i.updated_at} installation={i} />
                </Section>
              </div>
            ),
          },
          { key: 'calls', label: t('plugins.tab_calls'), children: <Calls installation={i.id} /> },
          { key: 'check', label: t('plugins.check'), children: <CheckPanel installation={i.id} /> },
        ]}
      />
      <Confirm
        open={removing}
        title={t('plugins.uninstall_title', { name: i.name })}
        consequences={t(`plugins.uninstall_${i.kind}` as 'plugins.uninstall_identity')}
        name={i.name}
        confirmLabel={t('plugins.uninstall')}
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
        onCancel={() => setRemoving(false)}
      />
    </div>
  );
}

function Calls({ installation }: { installation: string }) {
  const { t } = useT();
  const scope = useScope();
  const columns: Column<Call>[] = [
    { key: 'at', title: t('audit.at'), csv: (r) => r.started_at, render: (r) => <RelativeTime value={r.started_at} /> },
    { key: 'operation', title: t('plugins.operation'), csv: (r) => r.operation, render: (r) => <code>{r.operation}</code> },
    { key: 'outcome', title: t('audit.outcome'), csv: (r) => r.outcome, render: (r) => <Status value={r.outcome} /> },
    { key: 'duration', title: t('plugins.duration'), align: 'right', csv: (r) => r.wall_us, render: (r) => formatMicros(r.wall_us) },
    { key: 'guest', title: t('plugins.guest_time'), align: 'right', csv: (r) => r.guest_us, render: (r) => formatMicros(r.guest_us) },
    { key: 'memory', title: t('plugins.memory'), align: 'right', csv: (r) => r.memory, render: (r) => formatBytes(r.memory) },
    { key: 'host_calls', title: t('plugins.host_calls'), align: 'right', csv: (r) => r.host_calls, render: (r) => r.host_calls },
    { key: 'error', title: t('plugins.fault'), csv: (r) => r.code, render: (r) => (r.code ? <code className="bad">{r.code}</code> : '') },
    { key: 'request_id', title: t('word.request_id'), csv: (r) => r.request_id, render: (r) => <Id value={r.request_id} short />, hidden: true },
    { key: 'id', title: t('field.id'), csv: (r) => r.id, render: (r) => <Id value={r.id} short /> },
  ];
  return (
    <ServerTable<Call>
      id={`calls-${installation}`}
      columns={columns}
      load={(query) => take(scope.api.GET('/api/v1/installations/{installation}/calls', { params: { path: { installation }, query } }))}
      rowKey={(r) => r.id}
      empty={{ text: t('plugins.no_calls') }}
      refreshMs={15_000}
    />
  );
}
