/** Members: who they are, how they sign in, what they may do. */
import { MoreOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Dropdown, Select, Tag, Tooltip } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { User } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { useAction, useUndo } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { Id } from '@/shared/ui/copyable';
import { Page } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';
import { AddMember } from './add';

export const ROLES = ['owner', 'admin', 'billing', 'auditor', 'member'] as const;

export function MembersPage() {
  const { t, tv } = useT();
  const scope = useScope();
  const undo = useUndo();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<User | null>(null);
  const writable = scope.can('user:write');
  const patch = (user: User, body: { role?: User['role']; status?: User['status'] }) => take(scope.api.PATCH('/api/v1/users/{user}', { params: { path: { user: user.id } }, body }));
  const change = useAction({
    run: (input: { user: User; body: { role?: User['role']; status?: User['status'] } }) => patch(input.user, input.body),
    invalidate: [[scope.key, 'members']],
    after: (now, { user, body }) => {
      const back = body.role ? { role: user.role } : { status: user.status };
      const text = body.role ? t('members.role_changed', { name: user.name, role: tv('role', now.role) }) : t(now.status === 'disabled' ? 'members.disabled' : 'members.enabled', { name: user.name });
      undo(text, () => patch(user, back));
    },
  });
  const remove = useAction({
    run: (user: User) => take(scope.api.DELETE('/api/v1/users/{user}', { params: { path: { user: user.id } } })),
    invalidate: [[scope.key, 'members']],
    done: (_, user) => t('members.removed', { name: user.name }),
    after: () => setRemoving(null),
  });
  const self = scope.session.user.id;

  const columns: Column<User>[] = [
    {
      key: 'name',
      title: t('field.name'),
      csv: (r) => r.name,
      render: (r) => (
        <span className="row">
          <Avatar name={r.name || r.email} />
          <span className="two-line">
            <span className="strong">
              {r.name} {r.id === self && <Tag>{t('members.you')}</Tag>}
            </span>
            <Tooltip title={r.email_verified ? t('members.verified') : t('members.unverified')}>
              <span className="muted small">{r.email}</span>
            </Tooltip>
          </span>
        </span>
      ),
    },
    { key: 'email', title: t('field.email'), csv: (r) => r.email, render: (r) => r.email, hidden: true },
    {
      key: 'role',
      title: t('field.role'),
      csv: (r) => r.role,
      render: (r) =>
        writable && r.id !== self ? (
          <Select
            size="small"
            variant="borderless"
            className="inline-select"
            aria-label={`${t('field.role')}: ${r.name}`}
            value={r.role}
            options={ROLES.map((value) => ({ value, label: tv('role', value) }))}
            onChange={(role) => change.mutate({ user: r, body: { role } })}
            popupMatchSelectWidth={false}
          />
        ) : (
          tv('role', r.role)
        ),
    },
    { key: 'status', title: t('field.status'), csv: (r) => r.status, render: (r) => <Status value={r.status} /> },
    {
      key: 'identities',
      title: t('members.identities'),
      csv: (r) => r.identities.map((i) => `${i.issuer} ${i.subject}`).join('; '),
      render: (r) =>
        r.identities.length === 0 ? (
          <span className="muted">{r.has_password ? t('members.password_only') : t('members.no_way_in')}</span>
        ) : (
          <Tooltip title={r.identities.map((i) => `${i.issuer} · ${i.subject}`).join('\n')}>
            <span>{r.identities.map((i) => hostOf(i.issuer)).join(', ')}</span>
          </Tooltip>
        ),
    },
    { key: 'last_login_at', title: t('members.last_login'), csv: (r) => r.last_login_at, render: (r) => (r.last_login_at ? <RelativeTime value={r.last_login_at} /> : <span className="muted">{t('word.never')}</span>) },
    { key: 'created_at', title: t('field.created'), sort: true, csv: (r) => r.created_at, render: (r) => <RelativeTime value={r.created_at} />, hidden: true },
    { key: 'id', title: t('field.id'), csv: (r) => r.id, render: (r) => <Id value={r.id} short /> },
    ...(writable
      ? [
          {
            key: 'actions',
            title: '',
            align: 'right' as const,
            render: (r: User) =>
              r.id === self ? null : (
                <Dropdown
                  trigger={['click']}
                  menu={{
                    items: [
                      { key: 'status', label: r.status === 'active' ? t('action.disable') : t('action.enable') },
                      { key: 'remove', label: t('members.remove'), danger: true },
                    ],
                    onClick: ({ key }) => (key === 'remove' ? setRemoving(r) : change.mutate({ user: r, body: { status: r.status === 'active' ? 'disabled' : 'active' } })),
                  }}
                >
                  <Button type="text" size="small" icon={<MoreOutlined />} aria-label={`${t('action.more')}: ${r.name}`} />
                </Dropdown>
              ),
          },
        ]
      : []),
  ];
  const add = writable && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)} data-testid="member-add">
      {t('members.add')}
    </Button>
  );
  return (
    <Page title={t('nav.members')} description={t('members.description')} actions={add}>
      <ServerTable<User>
        id="members"
        columns={columns}
        load={(query) => take(scope.api.GET('/api/v1/users', { params: { query } }))}
        rowKey={(r) => r.id}
        searchLabel={t('members.search')}
        empty={{ text: t('members.empty'), action: add }}
      />
      {adding && <AddMember onClose={() => setAdding(false)} />}
      <Confirm
        open={removing !== null}
        title={`${t('members.remove')}: ${removing?.name ?? ''}`}
        consequences={t('members.remove_text')}
        name={removing?.email}
        confirmLabel={t('members.remove')}
        busy={remove.isPending}
        onConfirm={() => removing && remove.mutate(removing)}
        onCancel={() => setRemoving(null)}
      />
    </Page>
  );
}

function Avatar({ name }: { name: string }) {
  const initials = /[\u3400-\u9fff]/.test(name) ? name.slice(0, 1) : name.split(/[\s.@]+/).filter(Boolean).slice(0, 2).map((w) => w[0]).join('').toUpperCase();
  let hash = 0;
  for (const c of name) hash = (hash * 31 + (c.codePointAt(0) ?? 0)) % 360;
  return (
    <span className="avatar" style={{ '--hue': hash } as React.CSSProperties} aria-hidden>
      {initials}
    </span>
  );
}

function hostOf(issuer: string): string {
  try {
    return new URL(issuer).host;
  } catch {
    return issuer;
  }
}
