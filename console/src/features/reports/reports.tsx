/** Report runs with their progress and files. */
import { DownloadOutlined, PlayCircleOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Progress, Tooltip } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { ReportRun } from '@/api/models';
import { ApiProblem, explain, type ProblemBody } from '@/api/problem';
import { useScope } from '@/api/scope';
import { localized, useT } from '@/i18n';
import { formatBytes } from '@/shared/format';
import { useLiveRefresh } from '@/shared/live/live';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { useAction } from '@/shared/ui/act/action';
import { Id } from '@/shared/ui/copyable';
import { Page } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';
import { RunReport } from './run';

/** Why a run failed: the server stores the problem's code and detail. */
function failure(run: ReportRun): string | undefined {
  if (!run.error) return undefined;
  const e = explain(new ApiProblem(run.error as ProblemBody, 0, null));
  return [e.title, e.detail].filter(Boolean).join(': ');
}

export function ReportsPage() {
  const { t, tv, locale } = useT();
  const scope = useScope();
  const [running, setRunning] = useState(false);
  const definitions = useQuery({ queryKey: [scope.key, 'reports'], queryFn: () => take(scope.api.GET('/api/v1/reports')) });
  useLiveRefresh(['report'], [scope.key, 'report-runs']);
  const cancel = useAction({
    run: (run: ReportRun) => take(scope.api.POST('/api/v1/report-runs/{run}/cancel', { params: { path: { run: run.id } } })),
    invalidate: [[scope.key, 'report-runs']],
  });
  const nameOf = (run: ReportRun) => localized(definitions.data?.items.find((d) => d.installation === run.installation && d.report === run.report)?.name, locale, run.report);
  const columns: Column<ReportRun>[] = [
    {
      key: 'report',
      title: t('reports.report'),
      csv: (r) => r.report,
      render: (r) => (
        <span className="two-line">
          <span className="strong">{nameOf(r)}</span>
          <span className="muted small">{r.format.toUpperCase()}</span>
        </span>
      ),
    },
    {
      key: 'status',
      title: t('field.status'),
      csv: (r) => r.status,
      render: (r) =>
        r.status === 'running' || r.status === 'queued' ? (
          <span className="row">
            <Status value={r.status} />
            <Progress percent={r.progress} size="small" style={{ width: 120 }} aria-label={t('reports.progress')} />
          </span>
        ) : (
          <Tooltip title={failure(r)}>
            <span>
              <Status value={r.status} />
            </span>
          </Tooltip>
        ),
    },
    {
      key: 'file',
      title: t('reports.file'),
      csv: (r) => r.file?.name,
      render: (r) =>
        r.file ? (
          <a href={`${scope.apiBase}/api/v1/report-runs/${r.id}/file`} download={r.file.name} data-testid={`report-download-${r.format}`} className="row">
            <DownloadOutlined />
            {r.file.name} <span className="muted small">{formatBytes(r.file.bytes)}</span>
          </a>
        ) : r.error ? (
          <span className="bad clip">{failure(r)}</span>
        ) : (
          <span className="muted">–</span>
        ),
    },
    { key: 'sha256', title: 'SHA-256', csv: (r) => r.file?.sha256, render: (r) => <Id value={r.file?.sha256} short />, hidden: true },
    { key: 'created_at', title: t('reports.asked'), csv: (r) => r.created_at, render: (r) => <RelativeTime value={r.created_at} /> },
    { key: 'finished_at', title: t('reports.finished'), csv: (r) => r.finished_at, render: (r) => <RelativeTime value={r.finished_at} /> },
    { key: 'id', title: t('field.id'), csv: (r) => r.id, render: (r) => <Id value={r.id} short /> },
    {
      key: 'actions',
      title: '',
      align: 'right',
      render: (r) =>
        (r.status === 'running' || r.status === 'queued') && (
          <Button size="small" onClick={() => cancel.mutate(r)}>
            {t('action.cancel')}
          </Button>
        ),
    },
  ];
  const run = scope.can('report:run') && (
    <Button type="primary" icon={<PlayCircleOutlined />} onClick={() => setRunning(true)} data-testid="report-run">
      {t('reports.run')}
    </Button>
  );
  return (
    <Page title={t('nav.reports')} description={t('reports.description')} actions={run}>
      <ServerTable<ReportRun>
        id="report-runs"
        columns={columns}
        load={(query) => take(scope.api.GET('/api/v1/report-runs', { params: { query } }))}
        rowKey={(r) => r.id}
        filters={[{ name: 'status', label: t('field.status'), options: ['queued', 'running', 'succeeded', 'failed', 'cancelled'].map((value) => ({ value, label: tv('status', value) })) }]}
        empty={{ text: t('reports.empty'), action: run }}
        refreshMs={8000}
      />
      <RunReport open={running} definitions={definitions.data?.items} onClose={() => setRunning(false)} />
    </Page>
  );
}
