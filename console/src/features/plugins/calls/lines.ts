/** Log lines of a plugin: reading them, filtering by level, keeping the newest. */

export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

export interface LogLine {
  level: string;
  message: string;
  fields: [string, string][];
}

export interface TailLine extends LogLine {
  /** Grows by one per line; tells them apart on the page. */
  n: number;
  /** When it arrived here: lines carry no time of their own. */
  at: number;
  call: string;
}

/** A gap in the tail: so many lines came too fast for this reader. */
export interface Gap {
  n: number;
  at: number;
  dropped: number;
}

export type TailEntry = TailLine | Gap;

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

export function readLine(value: unknown): LogLine | null {
  if (!isObject(value) || typeof value.message !== 'string') return null;
  const fields = Array.isArray(value.fields) ? value.fields.filter((f): f is [string, string] => Array.isArray(f) && f.length === 2 && f.every((x) => typeof x === 'string')) : [];
  return { level: typeof value.level === 'string' ? value.level : 'info', message: value.message, fields };
}

export function readLines(value: unknown): LogLine[] {
  return Array.isArray(value) ? value.map(readLine).filter((l) => l !== null) : [];
}

/** Where a call crashed, innermost first: `src/lib.rs:42 pay`, or the function alone. */
export function readFrames(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).map((f) => {
    const name = typeof f.function === 'string' ? f.function : '?';
    if (typeof f.file !== 'string') return name;
    return typeof f.line === 'number' ? `${f.file}:${f.line} ${name}` : `${f.file} ${name}`;
  });
}

/** Whether a line is at least of a level; what is of no known level is never hidden. */
export function atLeast(level: string, least: Level): boolean {
  const at = LEVELS.indexOf(level as Level);
  return at < 0 || at >= LEVELS.indexOf(least);
}

/** The entries to show: lines of the level that hold every word; gaps stay, since what was in them is not known. */
export function filterTail(entries: TailEntry[], least: Level, q: string): TailEntry[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((e) => {
    if ('dropped' in e) return true;
    if (!atLeast(e.level, least)) return false;
    const text = `${e.message} ${e.call} ${e.fields.map((f) => f.join('=')).join(' ')}`.toLowerCase();
    return words.every((w) => text.includes(w));
  });
}

/** Reads an event of the stream; heartbeats and what is not understood are nothing. */
export function readEvent(event: string, data: string, n: number, at: number): TailEntry | null {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  if (event === 'dropped') return typeof value.lines === 'number' ? { n, at, dropped: value.lines } : null;
  if (event !== 'log') return null;
  const line = readLine(value);
  return line && { ...line, n, at, call: typeof value.call === 'string' ? value.call : '' };
}

/** Adds to the end and forgets the oldest. */
export function keepNewest<T>(entries: T[], more: T[], most: number): T[] {
  const all = [...entries, ...more];
  return all.length > most ? all.slice(all.length - most) : all;
}
