/** The last few events, kept fresh by the live stream. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AuditEvent } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useLiveRefresh } from '@/shared/live/live';
import { Link } from '@/shared/ui/link';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { RelativeTime } from '@/shared/ui/time';
import { EventDrawer } from './event-drawer';
import { useAuditLoad } from './source';

export function RecentEvents({ to, limit = 10 }: { to: string; limit?: number }) {
  const { t } = useT();
  const scope = useScope();
  const load = useAuditLoad();
  const [open, setOpen] = useState<AuditEvent | null>(null);
  const key = [scope.key, 'audit', 'recent', limit];
  const events = useQuery({ queryKey: key, queryFn: () => load({ limit }) });
  useLiveRefresh(['audit'], key);
  if (events.isError) return <ErrorState compact error={events.error} retry={() => void events.refetch()} />;
  if (!events.data) return <PageSkeleton />;
  if (events.data.items.length === 0) return <p className="muted">{t('audit.empty')}</p>;
  return (
    <>
      <ol className="feed">
        {events.data.items.map((e) => (
          <li key={e.id}>
            <button type="button" onClick={() => setOpen(e)}>
              <EventLine event={e} />
            </button>
          </li>
        ))}
      </ol>
      <Link to={to} className="small">
        {t('audit.all')}
      </Link>
      <EventDrawer event={open} onClose={() => setOpen(null)} />
    </>
  );
}

export function EventLine({ event }: { event: AuditEvent }) {
  const { tv } = useT();
  return (
    <>
      <i className={`dot dot-${event.outcome}`} title={tv('status', event.outcome)} />
      <span className="feed-text">
        <b>{actionText(tv, event.action)}</b>
        <span className="muted">{actorText(tv, event)}</span>
      </span>
      <RelativeTime value={event.at} />
    </>
  );
}

/** The actor's name; the platform itself has none worth showing. */
export function actorText(tv: (prefix: string, value: string) => string, event: AuditEvent): string {
  return event.actor.kind === 'system' || !event.actor.label ? tv('actor', event.actor.kind) : event.actor.label;
}

/** `session.opened` in words: the catalogue's when it has them, else made from the code (`user.signed_in` → `User signed in`). */
export function actionText(tv: (prefix: string, value: string) => string, action: string): string {
  const known = tv('audit_action', action);
  if (known !== action) return known;
  const words = action.replace(/[._]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
