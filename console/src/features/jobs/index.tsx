/** Background jobs: what waits, what runs, what gave up. */
import { RedoOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { take } from '@/api/client';
import type { Job } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { useAction } from '@/shared/ui/act/action';
import { Id, shorten } from '@/shared/ui/copyable';
import { Link } from '@/shared/ui/link';
import { Page } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';

export function JobsPage() {
  const { t, tv } = useT();
  const scope = useScope();
  const retry = useAction({
    run: (job: Job) => take(scope.api.POST('/api/v1/platform/jobs/{job}/retry', { params: { path: { job: job.id } } })),
    invalidate: [[scope.key, 'jobs'], [scope.key, 'overview']],
    done: () => t('jobs.retried'),
  });
  const columns: Column<Job>[] = [
    { key: 'kind', title: t('field.kind'), csv: (r) => r.kind, render: (r) => <code className="strong">{r.kind}</code> },
    { key: 'state', title: t('field.status'), csv: (r) => r.state, render: (r) => <Status value={r.state} /> },
    { key: 'tenant', title: t('routes.tenant'), csv: (r) => r.tenant, render: (r) => (r.tenant ? <Link to={`/tenants/${r.tenant}`}><code>{shorten(r.tenant)}</code></Link> : <span className="muted">–</span>) },
    { key: 'attempts', title: t('jobs.attempts'), align: 'right', csv: (r) => r.attempts, render: (r) => (r.max_attempts ? `${r.attempts} / ${r.max_attempts}` : r.attempts) },
    { key: 'run_at', title: t('jobs.run_at'), csv: (r) => r.run_at, render: (r) => <RelativeTime value={r.run_at} /> },
    { key: 'last_error', title: t('jobs.last_error'), csv: (r) => r.last_error, render: (r) => (r.last_error ? <span className="bad clip">{r.last_error}</span> : '') },
    { key: 'created_at', title: t('field.created'), csv: (r) => r.created_at, render: (r) => <RelativeTime value={r.created_at} /> },
    { key: 'id', title: t('field.id'), csv: (r) => r.id, render: (r) => <Id value={r.id} short />, hidden: true },
    {
      key: 'actions',
      title: '',
      align: 'right',
      render: (r) =>
        r.state === 'dead' && (
          <Button size="small" icon={<RedoOutlined />} loading={retry.isPending && retry.variables?.id === r.id} onClick={() => retry.mutate(r)} data-testid="job-retry">
            {t('jobs.retry')}
          </Button>
        ),
    },
  ];
  return (
    <Page title={t('nav.jobs')} description={t('jobs.description')}>
      <ServerTable<Job>
        id="jobs"
        columns={columns}
        load={(query) => take(scope.api.GET('/api/v1/platform/jobs', { params: { query } }))}
        rowKey={(r) => r.id}
        filters={[{ name: 'state', label: t('field.status'), options: ['ready', 'running', 'done', 'dead'].map((value) => ({ value, label: tv('status', value) })) }]}
        empty={{ text: t('jobs.empty') }}
        refreshMs={5000}
      />
    </Page>
  );
}
