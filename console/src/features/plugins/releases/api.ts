/** The calls about releases. */
import { take, type Api } from '@/api/client';
import type { Release, ReleaseDiff, StartRelease } from '@/api/models';

export type Verb = 'promote' | 'rollback' | 'cancel';

type Named = Pick<Release, 'plugin_id' | 'id'>;

const path = (release: Named) => ({ path: { plugin: release.plugin_id, release: release.id } });

export function listReleases(api: Api, plugin: string): Promise<{ items: Release[] }> {
  return take(api.GET('/api/v1/plugins/{plugin}/releases', { params: { path: { plugin } } }));
}

export function startRelease(api: Api, plugin: string, body: StartRelease): Promise<Release> {
  return take(api.POST('/api/v1/plugins/{plugin}/releases', { params: { path: { plugin } }, body }));
}

export function endRelease(api: Api, release: Named, verb: Verb): Promise<Release> {
  return take(api.POST(`/api/v1/plugins/{plugin}/releases/{release}/${verb}`, { params: path(release) }));
}

export function listDiffs(api: Api, release: Named): Promise<{ items: ReleaseDiff[] }> {
  return take(api.GET('/api/v1/plugins/{plugin}/releases/{release}/diffs', { params: path(release) }));
}
