/** A table's state lives in the URL: what is seen can be bookmarked, sent to a colleague, and survives a reload. */
import { useRouter, useRouterState } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';

export type Search = Record<string, string>;

export interface TableState {
  q: string;
  sort: string;
  cursor: string;
  filters: Record<string, string>;
}

export function readTableState(search: Search, filterNames: readonly string[], defaultSort = ''): TableState {
  const filters: Record<string, string> = {};
  for (const name of filterNames) {
    const value = search[name];
    if (value) filters[name] = value;
  }
  return { q: search.q ?? '', sort: search.sort ?? defaultSort, cursor: search.cursor ?? '', filters };
}

export interface TablePatch {
  q?: string;
  sort?: string;
  cursor?: string;
  filters?: Record<string, string | undefined>;
}

/** The search parameters after a change. Anything but paging starts again at the first page; foreign parameters stay. */
export function patchTableState(search: Search, patch: TablePatch, defaultSort = ''): Search {
  const next: Search = { ...search };
  const set = (name: string, value: string | undefined) => {
    if (value) next[name] = value;
    else delete next[name];
  };
  if (patch.q !== undefined) set('q', patch.q);
  if (patch.sort !== undefined) set('sort', patch.sort === defaultSort ? undefined : patch.sort);
  for (const [name, value] of Object.entries(patch.filters ?? {})) set(name, value);
  if (patch.cursor !== undefined) set('cursor', patch.cursor);
  else delete next.cursor;
  return next;
}

/** `name` → ascending, `-name` → descending. */
export function parseSort(sort: string): { field: string; descending: boolean } | null {
  if (!sort) return null;
  return sort.startsWith('-') ? { field: sort.slice(1), descending: true } : { field: sort, descending: false };
}

const PERIODS: Record<string, number> = { '1h': 3600, '24h': 86_400, '7d': 604_800, '30d': 2_592_000, '90d': 7_776_000 };

/** The start of a period such as `7d`, as the API wants it; `undefined` for "all". Rounded to the minute so that the query is cached. */
export function periodStart(period: string | undefined, now: number): string | undefined {
  const seconds = period ? PERIODS[period] : undefined;
  if (!seconds) return undefined;
  return new Date(Math.floor((now - seconds * 1000) / 60_000) * 60_000).toISOString();
}

/** Plain strings in the address bar, no JSON: `?status=active&sort=-created_at`. */
export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) if (value !== undefined && value !== null && value !== '') params.set(name, String(value));
  const text = params.toString();
  return text ? `?${text}` : '';
}

export function useSearch(): [Search, (next: Search, replace?: boolean) => void] {
  const router = useRouter();
  const search = useRouterState({ select: (s) => s.location.search as Search });
  const set = useCallback(
    (next: Search, replace = false) => {
      const { location } = router.state;
      void router.navigate({ to: location.pathname as never, search: next as never, replace, resetScroll: false });
    },
    [router],
  );
  return [search, set];
}

export function useTableState(filterNames: readonly string[], defaultSort = '') {
  const [search, setSearch] = useSearch();
  const names = filterNames.join(',');
  const state = useMemo(() => readTableState(search, names ? names.split(',') : [], defaultSort), [search, names, defaultSort]);
  const patch = useCallback(
    (change: TablePatch, replace = false) => setSearch(patchTableState(search, change, defaultSort), replace),
    [search, setSearch, defaultSort],
  );
  return { state, patch };
}
