/** What an installation asks for and does not get, by who took it away. */
import type { GrantCut } from '@/api/models';
import { translate, translateValue } from '@/i18n';
import { formatBytes, formatNumber } from '@/shared/format';
import { describe } from '../upgrade/added';

/** Who cuts, in the order in which they have the last word. */
const BY = ['operator', 'plan', 'tenant'] as const;
export type CutBy = (typeof BY)[number];

export interface CutGroup {
  by: CutBy;
  lines: { key: string; text: string }[];
}

export function groupCuts(cuts: readonly GrantCut[]): CutGroup[] {
  return BY.map((by) => ({ by, lines: cuts.filter((c) => c.by === by).map((c) => ({ key: `${c.kind} ${c.what}`, text: cutInWords(c) })) })).filter((g) => g.lines.length > 0);
}

/** Cuts that nobody in the tenant has chosen. */
export function imposed(cuts: readonly GrantCut[]): GrantCut[] {
  return cuts.filter((c) => c.by !== 'tenant');
}

/** `kv_bytes` and `kv_keys` say `5 of 10`: what is left of what was asked for. */
function cutInWords({ kind, what }: GrantCut): string {
  const share = /^(\d+) of (\d+)$/.exec(what);
  if (!share) return describe(kind, what).text;
  const figure = (n: string | undefined) => (kind === 'kv_bytes' ? formatBytes(Number(n)) : formatNumber(Number(n)));
  return translate('cuts.share', { what: translateValue('growth', kind), left: figure(share[1]), asked: figure(share[2]) });
}
