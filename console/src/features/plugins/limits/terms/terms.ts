/** What a plan, or the operator for one tenant, lets plugins do and use. */
import type { PluginTerms } from '@/api/models';
import { formatBytes, formatMicros, formatNumber } from '@/shared/format';

export const KINDS = ['identity', 'payment', 'report'];

export const FIGURES = ['installations', 'calls_per_second', 'cpu_ms_per_minute', 'egress_bytes_per_day', 'kv_bytes', 'memory_bytes', 'call_ms', 'concurrency'] as const;
export type Figure = (typeof FIGURES)[number];
export const LISTS = ['kinds', 'interfaces'] as const;
export type TermList = (typeof LISTS)[number];
export type Term = Figure | TermList;
export const TERMS: readonly Term[] = [...LISTS, ...FIGURES];

/** The least that the server takes. */
export const LEAST: Record<Figure, number> = { installations: 0, calls_per_second: 1, cpu_ms_per_minute: 1, egress_bytes_per_day: 0, kv_bytes: 0, memory_bytes: 1 << 20, call_ms: 50, concurrency: 1 };

export const NO_TERMS: PluginTerms = {
  kinds: null, interfaces: null, installations: null, calls_per_second: null, cpu_ms_per_minute: null, egress_bytes_per_day: null,
  kv_bytes: null, memory_bytes: null, call_ms: null, concurrency: null,
};

/** What a figure counts in. */
export function unitOf(figure: Figure): 'bytes' | 'ms' | 'count' {
  if (figure.includes('bytes')) return 'bytes';
  return figure.endsWith('_ms') || figure.includes('_ms_') ? 'ms' : 'count';
}

export function formatFigure(figure: Figure, value: number): string {
  const unit = unitOf(figure);
  if (unit === 'bytes') return formatBytes(value);
  if (unit === 'count') return formatNumber(value);
  return value < 1000 ? `${formatNumber(value)} ms` : formatMicros(value * 1000);
}

/** The request: every member, and what a form left out does not bound. */
export function termsBody(terms: Partial<PluginTerms>): PluginTerms {
  return Object.fromEntries(TERMS.map((name) => [name, terms[name] ?? null])) as unknown as PluginTerms;
}

/** Whether nothing is bounded. */
export function boundsNothing(terms: PluginTerms): boolean {
  return TERMS.every((name) => terms[name] === null);
}

/** A tenant's own terms over its plan's: what counts, and whose it is. */
export function inForce<N extends Term>(name: N, own: PluginTerms, plan: PluginTerms): { value: PluginTerms[N]; own: boolean } {
  const has = own[name] !== null;
  return { value: has ? own[name] : plan[name], own: has };
}
