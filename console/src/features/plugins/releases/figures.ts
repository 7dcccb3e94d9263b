/** Shares, rates and what may still be done with a release. */
import { formatNumber } from '@/shared/format';
import type { Release, ReleaseTally, StartRelease } from '@/api/models';
import type { Verb } from './api';

/** 50 per mille → `5%`. */
export function formatShare(perMille: number): string {
  return `${formatNumber(perMille / 10, { maximumFractionDigits: 1 })}%`;
}

/** As the server reads it: at most one decimal. */
export function percent(value: number): string {
  return `${Math.round(value * 10) / 10}%`;
}

/** Failed calls of a side, per mille; `null` before the first call. */
export function failureRate(tally: ReleaseTally | null | undefined): number | null {
  return tally && tally.calls > 0 ? Math.round((tally.failed / tally.calls) * 1000) : null;
}

/** What may be done: a promoted release can be taken back while no later one stands in its way. */
export function verbsOf(release: Release, all: Release[]): Verb[] {
  if (release.state === 'running') return ['promote', 'rollback', 'cancel'];
  const newest = all.find((r) => r.state !== 'cancelled');
  return release.state === 'promoted' && newest?.id === release.id ? ['rollback'] : [];
}

export interface StartValues {
  to: string;
  from?: string;
  mode: 'canary' | 'shadow' | 'all';
  by: 'tenants' | 'calls';
  share: number;
  max_error_rate: number;
  min_calls: number;
}

/** The request of a form: a shadow run is compared, not judged, and a release to all has no share. */
export function startBody(v: StartValues): StartRelease {
  const base: StartRelease = { to: v.to, mode: v.mode, ...(v.from ? { from: v.from } : {}) };
  if (v.mode === 'all') return base;
  const judged = { max_error_rate: percent(v.max_error_rate), min_calls: v.min_calls };
  return v.mode === 'shadow' ? { ...base, ...judged } : { ...base, by: v.by, share: percent(v.share), ...judged };
}
