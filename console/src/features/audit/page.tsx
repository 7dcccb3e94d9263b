/** The log itself: filters, the table, and the button that recomputes every hash. */
import { SafetyCertificateOutlined } from '@ant-design/icons';
import { Alert, Button } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { AuditEvent, AuditVerify } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useLiveRefresh } from '@/shared/live/live';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { useAction } from '@/shared/ui/act/action';
import { Id } from '@/shared/ui/copyable';
import { Page } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';
import { EventDrawer } from './event-drawer';
import { actionText, actorText } from './recent';
import { useAuditLoad } from './source';

export function PlatformAuditPage() {
  const { t } = useT();
  return <AuditPage id="platform-audit" description={t('audit.platform_description')} platform />;
}

export function TenantAuditPage() {
  const { t } = useT();
  return <AuditPage id="audit" description={t('audit.description')} />;
}

function AuditPage({ id, description, platform = false }: { id: string; description: string; platform?: boolean }) {
  const { t, tv } = useT();
  const scope = useScope();
  const load = useAuditLoad();
  const [open, setOpen] = useState<AuditEvent | null>(null);
  const [result, setResult] = useState<AuditVerify | null>(null);
  const check = useAction({ run: () => take(platform ? scope.api.GET('/api/v1/platform/audit/verify') : scope.api.GET('/api/v1/audit/verify')), after: setResult });
  useLiveRefresh(['audit'], [scope.key, id, 'list']);

  const columns: Column<AuditEvent>[] = [
    { key: 'at', title: t('audit.at'), csv: (r) => r.at, render: (r) => <RelativeTime value={r.at} />, width: 130 },
    {
      key: 'action',
      title: t('audit.action'),
      csv: (r) => r.action,
      render: (r) => (
        <span className="two-line">
          <span className="strong">{actionText(tv, r.action)}</span>
          <code className="muted small">{r.action}</code>
        </span>
      ),
    },
    {
      key: 'actor',
      title: t('audit.actor'),
      csv: (r) => r.actor.label,
      render: (r) => (
        <span className="two-line">
          <span>{actorText(tv, r)}</span>
          {r.actor.label && r.actor.kind !== 'system' && <span className="muted small">{tv('actor', r.actor.kind)}</span>}
        </span>
      ),
    },
    {
      key: 'target',
      title: t('audit.target'),
      csv: (r) => `${r.target.kind} ${r.target.id ?? ''}`.trim(),
      render: (r) => (
        <span className="two-line">
          <span>{tv('target', r.target.kind)}</span>
          {r.target.id && <Id value={r.target.id} short />}
        </span>
      ),
    },
    { key: 'outcome', title: t('audit.outcome'), csv: (r) => r.outcome, render: (r) => <Status value={r.outcome} /> },
    { key: 'request_id', title: t('word.request_id'), csv: (r) => r.request_id, render: (r) => <Id value={r.request_id} short /> },
    { key: 'seq', title: t('audit.seq'), align: 'right', csv: (r) => r.seq, render: (r) => r.seq, hidden: true },
    { key: 'leaf_hash', title: t('audit.leaf_hash'), csv: (r) => r.leaf_hash, render: (r) => <Id value={r.leaf_hash} short />, hidden: true },
  ];
  return (
    <Page
      title={t('nav.audit')}
      description={description}
      actions={
        <Button icon={<SafetyCertificateOutlined />} loading={check.isPending} onClick={() => check.mutate()} data-testid="audit-verify">
          {t('audit.verify')}
        </Button>
      }
    >
      {result && (
        <Alert
          data-testid="audit-verify-result"
          className="gap-below"
          type={result.ok ? 'success' : 'error'}
          showIcon
          closable={{ onClose: () => setResult(null) }}
          title={result.ok ? t('audit.verified', { n: result.size }) : t('audit.broken', { n: result.first_bad_seq ?? 0 })}
          description={
            <span className="row">
              {t('audit.root')} <Id value={result.root} />
            </span>
          }
        />
      )}
      <ServerTable<AuditEvent>
        id={id}
        columns={columns}
        load={load}
        rowKey={(r) => r.id}
        onOpen={setOpen}
        searchLabel={t('audit.search')}
        filters={[
          { name: 'period', label: t('period.label'), kind: 'period' },
          { name: 'outcome', label: t('audit.outcome'), options: ['ok', 'denied', 'failed'].map((value) => ({ value, label: tv('status', value) })) },
          { name: 'action', label: t('audit.action_filter') },
          { name: 'actor', label: t('audit.actor_filter') },
          { name: 'request_id', label: t('word.request_id') },
        ]}
        empty={{ text: t('audit.empty') }}
      />
      <EventDrawer event={open} onClose={() => setOpen(null)} />
    </Page>
  );
}
