/** Whose plugins are taken: publishers' keys and how far each is trusted. */
import { MoreOutlined, PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Dropdown, Tag } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Publisher } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { useAction } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { Id } from '@/shared/ui/copyable';
import { Notice } from '@/shared/ui/notice';
import { Page } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';
import { PublisherForm } from './publisher-form';

export function PublishersPage() {
  const { t, tv } = useT();
  const scope = useScope();
  const [editing, setEditing] = useState<Publisher | 'new' | null>(null);
  const [revoking, setRevoking] = useState<Publisher | null>(null);
  const load = () => take(scope.api.GET('/api/v1/publishers'));
  const trust = useQuery({ queryKey: [scope.key, 'publishers', 'trust'], queryFn: load });
  const writable = scope.can('platform.plugin:write');
  const revoke = useAction({
    run: (p: Publisher) => take(scope.api.DELETE('/api/v1/publishers/{key}', { params: { path: { key: p.key_id } } })),
    invalidate: [[scope.key, 'publishers'], [scope.key, 'plugins']],
    done: () => t('publishers.revoked'),
    after: () => setRevoking(null),
  });
  const add = writable && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setEditing('new')} data-testid="publisher-add">
      {t('publishers.add')}
    </Button>
  );
  const columns: Column<Publisher>[] = [
    {
      key: 'publisher',
      title: t('plugins.publisher'),
      csv: (r) => r.publisher,
      render: (r) => (
        <span className="two-line">
          <b>{r.publisher}</b>
          {r.note && <span className="muted small">{r.note}</span>}
        </span>
      ),
    },
    { key: 'tier', title: t('publishers.tier'), csv: (r) => r.tier, render: (r) => <Tag>{tv('tier', r.tier)}</Tag> },
    { key: 'status', title: t('field.status'), csv: (r) => (r.revoked_at ? 'revoked' : 'active'), render: (r) => <Status value={r.revoked_at ? 'revoked' : 'active'} prefix="key" /> },
    { key: 'key_id', title: t('publishers.key_id'), csv: (r) => r.key_id, render: (r) => <Id value={r.key_id} /> },
    { key: 'public_key', title: t('publishers.public_key'), csv: (r) => r.public_key, render: (r) => <Id value={r.public_key} short />, hidden: true },
    { key: 'added_at', title: t('publishers.added_at'), csv: (r) => r.added_at, render: (r) => <RelativeTime value={r.added_at} /> },
    { key: 'revoked_at', title: t('publishers.revoked_at'), csv: (r) => r.revoked_at, render: (r) => (r.revoked_at ? <RelativeTime value={r.revoked_at} /> : '') },
    {
      key: 'actions',
      title: '',
      align: 'right',
      render: (r) =>
        writable &&
        !r.revoked_at && (
          <Dropdown
            trigger={['click']}
            menu={{
              items: [
                { key: 'tier', label: t('publishers.change') },
                { key: 'revoke', label: t('publishers.revoke'), danger: true },
              ],
              onClick: ({ key }) => (key === 'tier' ? setEditing(r) : setRevoking(r)),
            }}
          >
            <Button size="small" type="text" icon={<MoreOutlined />} aria-label={t('publishers.actions', { name: r.publisher })} data-testid="publisher-actions" />
          </Dropdown>
        ),
    },
  ];
  return (
    <Page title={t('nav.publishers')} description={t('publishers.description')} actions={add}>
      {trust.data && (
        <Notice tone={trust.data.trust === 'development' ? 'warn' : 'info'} testId="node-trust" title={tv('trust', trust.data.trust)}>
          <p className="muted">
            {t('publishers.trust_where')} <code>[plugins] trust = "{trust.data.trust}"</code>
          </p>
        </Notice>
      )}
      <ServerTable<Publisher> id="publishers" columns={columns} load={load} rowKey={(r) => r.key_id} empty={{ text: t('publishers.empty'), action: add }} />
      {editing && <PublisherForm publisher={editing} onClose={() => setEditing(null)} />}
      <Confirm
        open={revoking !== null}
        title={t('publishers.revoke_title', { name: revoking?.publisher ?? '' })}
        consequences={t('publishers.revoke_text')}
        name={revoking?.publisher}
        confirmLabel={t('publishers.revoke')}
        busy={revoke.isPending}
        onConfirm={() => revoking && revoke.mutate(revoking)}
        onCancel={() => setRevoking(null)}
      />
    </Page>
  );
}
