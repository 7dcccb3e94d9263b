/** The history drawer of an object: the events that name it, newest first. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, Drawer } from 'antd';
import { useState } from 'react';
import type { AuditEvent } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { EventDrawer } from './event-drawer';
import { EventLine } from './recent';
import { useAuditLoad } from './source';

export default function History({ target, title, onClose }: { target: string; title: string; onClose: () => void }) {
  const { t } = useT();
  const scope = useScope();
  const load = useAuditLoad();
  const [open, setOpen] = useState<AuditEvent | null>(null);
  const events = useInfiniteQuery({
    queryKey: [scope.key, 'audit', 'history', target],
    queryFn: ({ pageParam }) => load({ limit: 50, target, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const items = events.data?.pages.flatMap((p) => p.items) ?? [];
  return (
    <Drawer open onClose={onClose} size={440} title={`${t('audit.history')} · ${title}`}>
      {events.isError ? (
        <ErrorState error={events.error} retry={() => void events.refetch()} />
      ) : events.isPending ? (
        <PageSkeleton />
      ) : items.length === 0 ? (
        <p className="muted">{t('audit.history_empty')}</p>
      ) : (
        <ol className="feed">
          {items.map((e) => (
            <li key={e.id}>
              <button type="button" onClick={() => setOpen(e)}>
                <EventLine event={e} />
              </button>
            </li>
          ))}
        </ol>
      )}
      {events.hasNextPage && (
        <Button block onClick={() => void events.fetchNextPage()} loading={events.isFetchingNextPage}>
          {t('audit.older')}
        </Button>
      )}
      <EventDrawer event={open} onClose={() => setOpen(null)} />
    </Drawer>
  );
}
