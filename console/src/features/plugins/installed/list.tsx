/** The plugins enabled in this tenant. */
import { PlusOutlined } from '@ant-design/icons';
import { Button, Tag } from 'antd';
import { take } from '@/api/client';
import type { Installation } from '@/api/models';
import { useScope } from '@/api/scope';
import { PluginBudgetSection } from '@/features/plugins/limits/budget';
import { useT } from '@/i18n';
import { formatNumber } from '@/shared/format';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { Link, useGo } from '@/shared/ui/link';
import { Page } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';
import { imposed } from '../parts/cut-words';
import { KindMark } from '../parts/kind-mark';

export function InstallationsPage() {
  const { t, tv } = useT();
  const scope = useScope();
  const go = useGo();
  const enable = scope.can('plugin:write') && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => go(scope.to('/plugins/enable'))} data-testid="plugin-enable">
      {t('plugins.enable')}
    </Button>
  );
  const columns: Column<Installation>[] = [
    {
      key: 'name',
      title: t('field.name'),
      csv: (r) => r.name,
      render: (r) => (
        <span className="row">
          <KindMark kind={r.kind} />
          <span className="two-line">
            <Link to={scope.to(`/plugins/${r.id}`)} className="strong">
              {r.name}
            </Link>
            <code className="muted small">
              {r.plugin_id} {r.version}
            </code>
          </span>
          {imposed(r.cuts).length > 0 && <Tag title={t('cuts.notice')}>{t('cuts.short', { n: imposed(r.cuts).length })}</Tag>}
        </span>
      ),
    },
    { key: 'kind', title: t('field.kind'), csv: (r) => r.kind, render: (r) => tv('kind', r.kind) },
    { key: 'status', title: t('field.status'), csv: (r) => r.status, render: (r) => <Status value={r.status} /> },
    { key: 'breaker', title: t('plugins.health'), csv: (r) => r.health.breaker, render: (r) => <Status value={r.health.breaker} prefix="breaker" /> },
    {
      key: 'calls',
      title: t('plugins.calls_24h'),
      align: 'right',
      csv: (r) => r.health.calls_24h,
      render: (r) => (
        <span>
          {formatNumber(r.health.calls_24h)}
          {r.health.failures_24h > 0 && <span className="bad small"> {t('plugins.failures', { n: r.health.failures_24h })}</span>}
        </span>
      ),
    },
    { key: 'updated_at', title: t('field.updated'), csv: (r) => r.updated_at, render: (r) => <RelativeTime value={r.updated_at} /> },
  ];
  return (
    <Page title={t('nav.plugins')} description={t('plugins.description')} actions={enable}>
      <ServerTable<Installation>
        id="installations"
        columns={columns}
        load={(query) => take(scope.api.GET('/api/v1/installations', { params: { query } }))}
        rowKey={(r) => r.id}
        href={(r) => scope.to(`/plugins/${r.id}`)}
        empty={{ text: t('plugins.empty'), action: enable }}
      />
      <div className="gap-above">
        <PluginBudgetSection />
      </div>
    </Page>
  );
}
