/** The proof that tenants are kept apart: what the last one found, the ones before, and a new one on demand. */
import { SafetyOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Table, Tag } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { IsolationCheck, IsolationReport } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT, type MessageKey } from '@/i18n';
import { en } from '@/i18n/en';
import { useAction } from '@/shared/ui/act/action';
import { Notice } from '@/shared/ui/notice';
import { Page, Section, Stats } from '@/shared/ui/page';
import { EmptyState, ErrorState, PageSkeleton } from '@/shared/ui/states';
import { RelativeTime } from '@/shared/ui/time';

export function IsolationPage() {
  const { t } = useT();
  const scope = useScope();
  const [chosen, choose] = useState<string | null>(null);
  const reports = useQuery({
    queryKey: [scope.key, 'isolation'],
    queryFn: () => take(scope.api.GET('/api/v1/platform/isolation')),
  });
  const verify = useAction({
    run: () => take(scope.api.POST('/api/v1/platform/isolation/verify')),
    invalidate: [[scope.key, 'isolation']],
    done: (r) => (r.holds ? t('isolation.done') : t('isolation.done_broken')),
    after: () => choose(null),
  });
  const button = scope.can('platform.tenant:write') && (
    <Button type="primary" icon={<SafetyOutlined />} loading={verify.isPending} onClick={() => verify.mutate()} data-testid="isolation-verify">
      {verify.isPending ? t('isolation.running') : t('isolation.verify')}
    </Button>
  );
  const items = reports.data?.items ?? [];
  const shown = items.find((r) => r.at === chosen) ?? items[0];
  return (
    <Page title={t('nav.isolation')} description={t('isolation.description')} actions={button}>
      {reports.isError ? (
        <ErrorState error={reports.error} retry={() => void reports.refetch()} />
      ) : !reports.data ? (
        <PageSkeleton />
      ) : !shown ? (
        <EmptyState text={t('isolation.empty')} action={button} />
      ) : (
        <div className="stack loose">
          <Shown report={shown} />
          <Section title={t('isolation.earlier')} flush>
            <Table<IsolationReport>
              size="small"
              rowKey="at"
              pagination={false}
              dataSource={items}
              rowClassName={(r) => (r.at === shown.at ? 'chosen' : '')}
              onRow={(r) => ({ onClick: () => choose(r.at), style: { cursor: 'pointer' } })}
              columns={[
                { key: 'at', title: t('isolation.at'), render: (_, r) => <RelativeTime value={r.at} /> },
                { key: 'holds', title: t('isolation.result'), render: (_, r) => <Verdict holds={r.holds} /> },
                { key: 'checks', title: t('isolation.tried'), align: 'right', render: (_, r) => r.checks.length },
              ]}
            />
          </Section>
        </div>
      )}
    </Page>
  );
}

function Shown({ report }: { report: IsolationReport }) {
  const { t, tv } = useT();
  const broken = report.checks.filter((c) => !c.holds).length;
  const kinds = [...new Set(report.checks.map((c) => c.isolation))];
  // What a newer server tries has no text here yet: its own word is shown.
  const name = (c: IsolationCheck) => (`isolation.check_${c.name}` in en ? t(`isolation.check_${c.name}` as 'isolation.check_tried') : c.name);
  return (
    <>
      {broken > 0 && (
        <Notice tone="bad" title={t('isolation.broken', { n: broken })}>
          <p>{t('isolation.broken_text')}</p>
        </Notice>
      )}
      <Stats
        items={[
          { label: t('isolation.result'), value: <Verdict holds={report.holds} />, testId: 'isolation-result' },
          { label: t('isolation.at'), value: <RelativeTime value={report.at} /> },
          { label: t('isolation.tried'), value: report.checks.length },
          { label: t('isolation.took'), value: `${report.took_ms} ms`, hint: report.store },
        ]}
      />
      {kinds.map((kind) => (
        <Section key={kind} title={tv('isolation', kind)} flush>
          <Table<IsolationCheck>
            size="small"
            rowKey="name"
            pagination={false}
            dataSource={report.checks.filter((c) => c.isolation === kind)}
            columns={[
              { key: 'holds', title: t('isolation.result'), width: 120, render: (_, c) => <Verdict holds={c.holds} /> },
              { key: 'name', title: t('isolation.what'), width: 320, render: (_, c) => name(c) },
              { key: 'found', title: t('isolation.found'), render: (_, c) => <span className="muted">{c.found}</span> },
            ]}
          />
        </Section>
      ))}
    </>
  );
}

function Verdict({ holds }: { holds: boolean }) {
  const { t } = useT();
  const key: MessageKey = holds ? 'isolation.holds' : 'isolation.fails';
  return <Tag color={holds ? 'green' : 'red'}>{t(key)}</Tag>;
}
