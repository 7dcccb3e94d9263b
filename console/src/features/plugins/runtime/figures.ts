/** What consumers of the runtime are compared by. */
import type { Consumer } from '@/api/models';
import { formatBytes, formatMicros, formatNumber } from '@/shared/format';

export const BY = ['calls', 'errors', 'cpu', 'memory', 'bytes'] as const;
export type By = (typeof BY)[number];
export const WINDOWS = ['5m', '15m', '1h'] as const;
export type Span = (typeof WINDOWS)[number];

export function figureOf(c: Consumer, by: By): number {
  return by === 'cpu' ? c.cpu_us : c[by];
}

export function formatFigure(c: Consumer, by: By): string {
  const n = figureOf(c, by);
  return by === 'cpu' ? formatMicros(n) : by === 'memory' || by === 'bytes' ? formatBytes(n) : formatNumber(n);
}
