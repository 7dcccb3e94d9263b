/** One event in full: who, what, on what, with the values before and after and the leaf's hash. */
import { Drawer } from 'antd';
import type { ReactNode } from 'react';
import type { AuditEvent } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { formatAbsolute } from '@/shared/format';
import { Id } from '@/shared/ui/copyable';
import { Link } from '@/shared/ui/link';
import { Facts } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { changesOf } from './diff';
import { actionText } from './recent';
import { targetPath } from './source';

export function EventDrawer({ event, onClose }: { event: AuditEvent | null; onClose: () => void }) {
  const { t, tv } = useT();
  const scope = useScope();
  const platform = scope.realm === 'operator' && scope.apiBase === '';
  const path = event?.target.id ? targetPath(event.target.kind, event.target.id, platform) : null;
  const { changes, rest } = changesOf(event?.details);
  return (
    <Drawer open={event !== null} onClose={onClose} size={560} title={event ? actionText(tv, event.action) : ''} data-testid="event-drawer">
      {event && (
        <div className="stack loose">
          <Facts
            items={[
              [t('audit.at'), formatAbsolute(new Date(event.at))],
              [t('audit.action'), <code key="a">{event.action}</code>],
              [t('audit.outcome'), <Status key="o" value={event.outcome} />],
              [
                t('audit.actor'),
                <span key="w" className="stack tight">
                  <span>
                    {event.actor.label || '–'} <span className="muted">{tv('actor', event.actor.kind)}</span>
                  </span>
                  {event.actor.id && <Id value={event.actor.id} />}
                </span>,
              ],
              [
                t('audit.target'),
                <span key="t" className="stack tight">
                  <span>{path ? <Link to={scope.to(path)}>{tv('target', event.target.kind)}</Link> : tv('target', event.target.kind)}</span>
                  {event.target.id && <Id value={event.target.id} />}
                </span>,
              ],
              [
                t('word.request_id'),
                <span key="r" className="stack tight">
                  <Id value={event.request_id} />
                  {event.request_id && (
                    <Link to={scope.to('/audit')} search={{ request_id: event.request_id }} onClick={onClose} className="small">
                      {t('audit.same_request')}
                    </Link>
                  )}
                </span>,
              ],
              ...(event.ip ? [[t('audit.ip'), <code key="p">{event.ip}</code>] as [string, ReactNode]] : []),
              ...(event.user_agent ? [[t('audit.user_agent'), event.user_agent] as [string, ReactNode]] : []),
              ...(event.route ? [[t('audit.route'), <code key="u">{event.route}</code>] as [string, ReactNode]] : []),
              [t('field.id'), <Id key="i" value={event.id} />],
            ]}
          />
          {changes.length > 0 && (
            <section>
              <h3>{t('audit.changes')}</h3>
              <table className="diff">
                <thead>
                  <tr>
                    <th>{t('audit.field')}</th>
                    <th>{t('audit.before')}</th>
                    <th>{t('audit.after')}</th>
                  </tr>
                </thead>
                <tbody>
                  {changes.map((c) => (
                    <tr key={c.field}>
                      <th scope="row">
                        <code>{c.field}</code>
                      </th>
                      <td className="before">{show(c.before)}</td>
                      <td className="after">{show(c.after)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          )}
          {rest !== null && (
            <section>
              <h3>{t('audit.details')}</h3>
              <pre className="code-block">{JSON.stringify(rest, null, 2)}</pre>
            </section>
          )}
          <section>
            <h3>{t('audit.proof')}</h3>
            <Facts
              items={[
                [t('audit.seq'), event.seq],
                [t('audit.leaf_hash'), <Id key="h" value={event.leaf_hash} />],
              ]}
            />
            <p className="muted small">{t('audit.proof_text')}</p>
          </section>
        </div>
      )}
    </Drawer>
  );
}

function show(value: unknown) {
  if (value === undefined) return <span className="muted">–</span>;
  return <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>;
}
