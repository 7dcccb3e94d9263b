/** The releases of a plugin: what is on trial, and what came of those before. */
import { RocketOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import type { Plugin, Release } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { Section } from '@/shared/ui/page';
import { EmptyState, ErrorState, PageSkeleton } from '@/shared/ui/states';
import { endRelease, listReleases, type Verb } from './api';
import { Diffs } from './diffs';
import { verbsOf } from './figures';
import { PastReleases, RunningRelease } from './list';
import { StartReleaseForm } from './start';

export default function Releases({ plugin }: { plugin: Plugin }) {
  const { t } = useT();
  const scope = useScope();
  const [starting, setStarting] = useState(false);
  // What is asked stays as it was while the dialog fades, though the release has ended by then.
  const [asking, setAsking] = useState<{ open: boolean; release: Release; verb: Verb } | null>(null);
  const [compared, setCompared] = useState<Release | null>(null);
  const key = [scope.key, 'releases', plugin.plugin_id];
  const query = useQuery({
    queryKey: key,
    queryFn: () => listReleases(scope.api, plugin.plugin_id),
    refetchInterval: (q) => (q.state.data?.items.some((r) => r.state === 'running') ? 2000 : 15_000),
  });
  const end = useAction({
    run: ({ release, verb }: { release: Release; verb: Verb }) => endRelease(scope.api, release, verb),
    invalidate: [key],
    done: (_, { verb }) => t(`releases.done_${verb}`),
    after: () => setAsking((a) => a && { ...a, open: false }),
  });
  const writable = scope.can('platform.plugin:write');
  const all = query.data?.items ?? [];
  const running = all.find((r) => r.state === 'running');
  const start = writable && !running && (
    <Button type="primary" icon={<RocketOutlined />} onClick={() => setStarting(true)} data-testid="release-start">
      {t('releases.start')}
    </Button>
  );
  const ask = (release: Release, verb: Verb) => setAsking({ open: true, release, verb });
  const verbs = (release: Release) => (writable ? verbsOf(release, all) : []);
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <PageSkeleton />;
  return (
    <div className="stack loose">
      {all.length === 0 ? (
        <Section>
          <EmptyState text={t('releases.empty')} action={start} />
        </Section>
      ) : (
        <>
          {running ? <RunningRelease release={running} verbs={verbs(running)} onAsk={ask} onDiffs={setCompared} /> : <div className="row end">{start}</div>}
          <PastReleases releases={all.filter((r) => r !== running)} verbs={verbs} onAsk={ask} onDiffs={setCompared} />
        </>
      )}
      {starting && <StartReleaseForm plugin={plugin} onClose={() => setStarting(false)} />}
      {compared && <Diffs release={compared} onClose={() => setCompared(null)} />}
      {asking && (
        <Confirm
          open={asking.open}
          title={t(`releases.${asking.verb}_title`, { version: asking.release.to })}
          consequences={t(asking.verb === 'rollback' && asking.release.state === 'promoted' ? 'releases.rollback_promoted' : `releases.${asking.verb}_text`, { from: asking.release.from, to: asking.release.to })}
          confirmLabel={t(`releases.${asking.verb}`)}
          danger={asking.verb === 'rollback'}
          busy={end.isPending}
          onConfirm={() => end.mutate(asking)}
          onCancel={() => setAsking({ ...asking, open: false })}
        />
      )}
    </div>
  );
}
