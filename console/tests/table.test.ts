import { describe, expect, it } from 'vitest';
import { csvCell, fetchAll, toCsv } from '@/shared/table/csv';
import { parseSearch, parseSort, patchTableState, periodStart, readTableState, stringifySearch } from '@/shared/table/state';

describe('table state in the URL', () => {
  it('reads search, sort, page and its own filters only', () => {
    expect(readTableState({ q: 'acme', sort: '-name', cursor: 'c1', status: 'active', other: 'x' }, ['status'])).toEqual({ q: 'acme', sort: '-name', cursor: 'c1', filters: { status: 'active' } });
    expect(readTableState({}, ['status'], '-created_at')).toEqual({ q: '', sort: '-created_at', cursor: '', filters: {} });
  });

  it('goes back to the first page when anything but the page changes', () => {
    expect(patchTableState({ cursor: 'c1', q: 'a' }, { q: 'b' })).toEqual({ q: 'b' });
    expect(patchTableState({ cursor: 'c1' }, { filters: { status: 'active' } })).toEqual({ status: 'active' });
    expect(patchTableState({ cursor: 'c1', q: 'a' }, { cursor: 'c2' })).toEqual({ cursor: 'c2', q: 'a' });
  });

  it('keeps foreign parameters, drops emptied ones and the default sort', () => {
    expect(patchTableState({ tab: 'x', q: 'a', status: 'active' }, { q: '', filters: { status: undefined } })).toEqual({ tab: 'x' });
    expect(patchTableState({ sort: 'name' }, { sort: '-created_at' }, '-created_at')).toEqual({});
  });

  it('writes plain strings and reads them back', () => {
    const search = { q: '100% 中文 & more', status: 'active', n: '007' };
    expect(parseSearch(stringifySearch(search))).toEqual(search);
    expect(stringifySearch({ a: '', b: undefined })).toBe('');
  });

  it('reads both directions of a sort', () => {
    expect(parseSort('-created_at')).toEqual({ field: 'created_at', descending: true });
    expect(parseSort('name')).toEqual({ field: 'name', descending: false });
    expect(parseSort('')).toBeNull();
  });

  it('turns a period into its start, to the minute', () => {
    const now = Date.parse('2026-03-10T12:00:42.500Z');
    expect(periodStart('24h', now)).toBe('2026-03-09T12:00:00.000Z');
    expect(periodStart('7d', now)).toBe('2026-03-03T12:00:00.000Z');
    expect(periodStart(undefined, now)).toBeUndefined();
    expect(periodStart('nonsense', now)).toBeUndefined();
  });
});

describe('CSV', () => {
  it('quotes what needs it', () => {
    expect(csvCell('a,b')).toBe('"a,b"');
    expect(csvCell('say "hi"')).toBe('"say ""hi"""');
    expect(csvCell('two\nlines')).toBe('"two\nlines"');
    expect(csvCell(null)).toBe('');
    expect(csvCell(-5)).toBe('-5');
  });

  it('disarms cells that a spreadsheet would run', () => {
    for (const evil of ['=1+1', '+1', '-1+2', '@SUM(A1)', '\tx']) expect(csvCell(evil).replace(/^"/, '').startsWith("'")).toBe(true);
  });

  it('writes a header and CRLF lines', () => {
    expect(toCsv([{ title: 'Name', value: (r: { n: string }) => r.n }], [{ n: 'Ada' }, { n: 'Bo' }])).toBe('Name\r\nAda\r\nBo\r\n');
  });

  it('follows the cursors to the end', async () => {
    const pages: Record<string, { items: number[]; next: string | null }> = { '': { items: [1, 2], next: 'b' }, b: { items: [3], next: 'c' }, c: { items: [], next: null } };
    const seen: number[] = [];
    const rows = await fetchAll(async (cursor) => pages[cursor ?? '']!, (n) => seen.push(n));
    expect(rows).toEqual([1, 2, 3]);
    expect(seen).toEqual([2, 3, 3]);
  });
});
