/** What a call used of what it might use. */
import type { CallDetail } from '@/api/models';
import { translate } from '@/i18n';
import { formatBytes, formatMicros, formatNumber } from '@/shared/format';

export interface Figure {
  key: string;
  label: string;
  used: string;
  /** `null` when nothing bounds it, or its version is gone and nobody knows any more. */
  limit: string | null;
  /** Used share of the limit, 0 to 1. */
  share: number | null;
}

type Measured = Pick<CallDetail, 'wall_us' | 'guest_us' | 'memory' | 'host_calls' | 'bytes_in' | 'bytes_out' | 'limits'>;

export function figuresOf(call: Measured): Figure[] {
  const limits = call.limits;
  const figure = (key: string, label: string, used: number, limit: number | undefined, format: (n: number) => string): Figure => ({
    key,
    label,
    used: format(used),
    limit: limit === undefined ? null : format(limit),
    share: limit === undefined || limit <= 0 ? null : Math.min(1, used / limit),
  });
  return [
    figure('wall', translate('plugins.duration'), call.wall_us, limits ? limits.wall_ms * 1000 : undefined, formatMicros),
    figure('cpu', translate('plugins.guest_time'), call.guest_us, limits ? limits.cpu_ms * 1000 : undefined, formatMicros),
    figure('memory', translate('plugins.memory'), call.memory, limits?.memory, formatBytes),
    figure('host_calls', translate('plugins.host_calls'), call.host_calls, limits?.host_calls, formatNumber),
    figure('out', translate('calls.sent'), call.bytes_out, undefined, formatBytes),
    figure('in', translate('calls.received'), call.bytes_in, undefined, formatBytes),
  ];
}

/** The command that says the same in a terminal. Operators find a call anywhere; others say where it was. */
export function whyCommand(call: Pick<CallDetail, 'id' | 'tenant' | 'installation'>, operator: boolean): string[] {
  return operator ? ['plugin', 'why', call.id] : ['plugin', 'why', call.id, '--tenant', call.tenant, '--installation', call.installation];
}
