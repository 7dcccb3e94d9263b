/** The calls about releases. */
import { take, type Api } from '@/api/client';

export type Mode = 'canary' | 'shadow' | 'all';
export type By = 'tenants' | 'calls';

/** Calls of one side. */
export interface Tally {
  calls: number;
  failed: number;
}

/** A release of a plugin version; shares and rates are per mille. */
export interface Release {
  id: string;
  plugin_id: string;
  from: string;
  to: string;
  mode: string;
  by: string;
  share: number;
  max_error_rate: number;
  min_calls: number;
  state: string;
  reason: string | null;
  started_at: string;
  ended_at: string | null;
  before?: Tally;
  candidate?: Tally;
  diffs: number;
}

export interface StartRelease {
  to: string;
  from?: string;
  mode: Mode;
  by?: By;
  share?: string;
  max_error_rate?: string;
  min_calls?: number;
}

/** Where a shadow run's answer differed. */
export interface ReleaseDiff {
  at: string;
  tenant: string;
  installation: string;
  operation: string;
  was: unknown;
  would: unknown;
}

export type Verb = 'promote' | 'rollback' | 'cancel';

type Answer = Promise<{ data?: unknown; error?: unknown; response: Response }>;
type Call = (path: string, init: { params: { path: Record<string, string> }; body?: unknown }) => Answer;

/** The generated types do not hold these routes yet; the client sends any path. */
const untyped = (api: Api) => api as unknown as { GET: Call; POST: Call };
const as = async <T>(answer: Answer): Promise<T> => (await take(answer)) as T;

export function listReleases(api: Api, plugin: string): Promise<{ items: Release[] }> {
  return as(untyped(api).GET('/api/v1/plugins/{plugin}/releases', { params: { path: { plugin } } }));
}

export function startRelease(api: Api, plugin: string, body: StartRelease): Promise<Release> {
  return as(untyped(api).POST('/api/v1/plugins/{plugin}/releases', { params: { path: { plugin } }, body }));
}

export function endRelease(api: Api, release: Pick<Release, 'plugin_id' | 'id'>, verb: Verb): Promise<Release> {
  return as(untyped(api).POST(`/api/v1/plugins/{plugin}/releases/{release}/${verb}`, { params: { path: { plugin: release.plugin_id, release: release.id } } }));
}

export function listDiffs(api: Api, release: Pick<Release, 'plugin_id' | 'id'>): Promise<{ items: ReleaseDiff[] }> {
  return as(untyped(api).GET('/api/v1/plugins/{plugin}/releases/{release}/diffs', { params: { path: { plugin: release.plugin_id, release: release.id } } }));
}
