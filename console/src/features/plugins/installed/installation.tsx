/** One enabled plugin: its settings, what it was granted, its addresses, its health and last calls. */
import { MoreOutlined, PushpinOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Button, Dropdown, Tabs, Tag } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Installation } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { formatNumber } from '@/shared/format';
import { useSearch } from '@/shared/table/state';
import { useAction, useUndo } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { useGo } from '@/shared/ui/link';
import { ObjectHeader } from '@/shared/ui/object-header';
import { Section, Stats } from '@/shared/ui/page';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { Status } from '@/shared/ui/status';
import { Calls } from '../calls/table';
import { LogTail } from '../calls/tail';
import { Settings } from './settings';
import { Notices } from '../upgrade/notices';
import { VersionTab } from '../upgrade/version-tab';
import { versionsOf } from '../upgrade/versions';
import { Capabilities } from '../parts/capabilities';
import { CheckPanel } from '../parts/check';
import { Cuts, CutsNotice } from '../parts/cuts';
import { Endpoints } from '../parts/endpoints';
import { Grants } from '../parts/grants';
import { KindMark } from '../parts/kind-mark';

export function InstallationPage() {
  const { t, tv } = useT();
  const scope = useScope();
  const go = useGo();
  const undo = useUndo();
  const { installation: id } = useParams({ strict: false }) as { installation: string };
  const [removing, setRemoving] = useState(false);
  // The tab stands in the address: a call or a version can be linked to.
  const [search, setSearch] = useSearch();
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
  const versions = versionsOf(i, available.data?.items ?? []);
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
        tags={
          <>
            <Tag>{i.version}</Tag>
            {i.pinned && <Tag icon={<PushpinOutlined />}>{t('version.pinned_short')}</Tag>}
          </>
        }
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
      <Notices installation={i} versions={versions} onVersions={() => setSearch({ tab: 'version' })} />
      <CutsNotice installation={i} onShow={() => setSearch({ tab: 'grants' })} />
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
        activeKey={search.tab ?? 'settings'}
        onChange={(tab) => setSearch(tab === 'settings' ? {} : { tab })}
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
                <div className="stack loose">
                  <Section title={t('plugins.asks')}>{plugin ? <Capabilities manifest={plugin.manifest} schema={plugin.config_schema} /> : null}</Section>
                  <Cuts installation={i} />
                </div>
                <Section title={t('plugins.in_force')}>
                  <Grants key={i.updated_at} installation={i} />
                </Section>
              </div>
            ),
          },
          { key: 'version', label: t('version.tab'), children: available.isFetched ? <VersionTab installation={i} versions={versions} /> : <PageSkeleton /> },
          { key: 'calls', label: t('plugins.tab_calls'), children: <Calls installation={i.id} /> },
          // Only while it is looked at: it holds a connection open.
          { key: 'logs', label: t('logs.tab'), destroyOnHidden: true, children: <LogTail installation={i.id} /> },
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
