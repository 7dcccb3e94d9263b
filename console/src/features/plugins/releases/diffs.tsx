/** Where the candidate of a shadow run would have answered otherwise, value by value. */
import { useQuery } from '@tanstack/react-query';
import { Drawer } from 'antd';
import type { Release, ReleaseDiff } from '@/api/models';
import { useScope } from '@/api/scope';
import { diff } from '@/features/audit/diff';
import { useT } from '@/i18n';
import { Link } from '@/shared/ui/link';
import { EmptyState, ErrorState, PageSkeleton } from '@/shared/ui/states';
import { RelativeTime } from '@/shared/ui/time';
import { listDiffs } from './api';

/** So many are drawn; the newest, which come last. */
const SHOWN = 100;

export function Diffs({ release, onClose }: { release: Release; onClose: () => void }) {
  const { t } = useT();
  const scope = useScope();
  const query = useQuery({ queryKey: [scope.key, 'release-diffs', release.id], queryFn: () => listDiffs(scope.api, release), refetchInterval: release.state === 'running' ? 5000 : false });
  const items = [...(query.data?.items ?? [])].reverse();
  return (
    <Drawer open size={760} onClose={onClose} title={t('releases.diffs_title', { from: release.from, to: release.to })} data-testid="release-diff-drawer">
      {query.isError ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <PageSkeleton />
      ) : items.length === 0 ? (
        <EmptyState text={t('releases.no_diffs')} />
      ) : (
        <div className="stack loose">
          {items.length > SHOWN && <p className="muted small">{t('releases.newest', { n: SHOWN, all: items.length })}</p>}
          {items.slice(0, SHOWN).map((d, i) => (
            <One key={`${d.at} ${d.installation} ${i}`} entry={d} from={release.from} to={release.to} />
          ))}
        </div>
      )}
    </Drawer>
  );
}

function One({ entry: d, from, to }: { entry: ReleaseDiff; from: string; to: string }) {
  const { t } = useT();
  return (
    <section>
      <p className="row">
        <code className="strong">{d.operation}</code>
        <Link to={`/tenants/${d.tenant}/plugins/${d.installation}`}>{d.tenant}</Link>
        <span className="muted small">
          <RelativeTime value={d.at} />
        </span>
      </p>
      <table className="diff">
        <thead>
          <tr>
            <th>{t('audit.field')}</th>
            <th>{from}</th>
            <th>{to}</th>
          </tr>
        </thead>
        <tbody>
          {diff({ '': d.was }, { '': d.would }).map((c) => (
            <tr key={c.field}>
              <th scope="row">
                <code>{c.field.replace(/^\./, '') || t('releases.answer')}</code>
              </th>
              <td className="before">
                <code>{JSON.stringify(c.before) ?? '–'}</code>
              </td>
              <td className="after">
                <code>{JSON.stringify(c.after) ?? '–'}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
