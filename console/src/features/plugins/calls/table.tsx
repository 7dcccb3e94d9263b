/** The last calls of an installation; a row opens what explains the call. */
import { take } from '@/api/client';
import type { Call } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { formatBytes, formatMicros } from '@/shared/format';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { useSearch } from '@/shared/table/state';
import { Id } from '@/shared/ui/copyable';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';
import { CallDrawer } from './drawer';

export function Calls({ installation }: { installation: string }) {
  const { t } = useT();
  const scope = useScope();
  // The open call stands in the address, so that it can be sent to a colleague.
  const [search, setSearch] = useSearch();
  const open = (call: string | undefined) => {
    const { call: _, ...rest } = search;
    setSearch(call ? { ...rest, call } : rest);
  };
  const columns: Column<Call>[] = [
    { key: 'at', title: t('audit.at'), csv: (r) => r.started_at, render: (r) => <RelativeTime value={r.started_at} /> },
    { key: 'operation', title: t('plugins.operation'), csv: (r) => r.operation, render: (r) => <code>{r.operation}</code> },
    { key: 'outcome', title: t('audit.outcome'), csv: (r) => r.outcome, render: (r) => <Status value={r.outcome} /> },
    { key: 'duration', title: t('plugins.duration'), align: 'right', csv: (r) => r.wall_us, render: (r) => formatMicros(r.wall_us) },
    { key: 'guest', title: t('plugins.guest_time'), align: 'right', csv: (r) => r.guest_us, render: (r) => formatMicros(r.guest_us) },
    { key: 'memory', title: t('plugins.memory'), align: 'right', csv: (r) => r.memory, render: (r) => formatBytes(r.memory) },
    { key: 'host_calls', title: t('plugins.host_calls'), align: 'right', csv: (r) => r.host_calls, render: (r) => r.host_calls },
    { key: 'error', title: t('plugins.fault'), csv: (r) => r.code, render: (r) => (r.code ? <code className="bad">{r.code}</code> : '') },
    { key: 'request_id', title: t('word.request_id'), csv: (r) => r.request_id, render: (r) => <Id value={r.request_id} short />, hidden: true },
    { key: 'id', title: t('field.id'), csv: (r) => r.id, render: (r) => <Id value={r.id} short /> },
  ];
  return (
    <>
      <ServerTable<Call>
        id={`calls-${installation}`}
        columns={columns}
        load={(query) => take(scope.api.GET('/api/v1/installations/{installation}/calls', { params: { path: { installation }, query } }))}
        rowKey={(r) => r.id}
        onOpen={(r) => open(r.id)}
        empty={{ text: t('plugins.no_calls') }}
        refreshMs={15_000}
      />
      <CallDrawer installation={installation} call={search.call} onClose={() => open(undefined)} />
    </>
  );
}
