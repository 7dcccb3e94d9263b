/** How much of something is used, as a bar with its figures. */
import type { ReactNode } from 'react';
import { useT } from '@/i18n';

export interface MeterProps {
  label: string;
  /** `null` when only the limit is known. */
  used: number | null;
  /** `null` when nothing bounds it. */
  limit: number | null;
  format: (n: number) => string;
  /** Leaves out the label, which the row around it says already. */
  plain?: boolean;
  /** Below the bar: when it starts again, what it counts. */
  hint?: ReactNode;
  testId?: string;
}

export function Meter({ label, used, limit, format, plain = false, hint, testId }: MeterProps) {
  const { t } = useT();
  const share = used === null || limit === null ? 0 : limit === 0 ? 1 : Math.min(1, used / limit);
  const tone = share >= 1 ? 'bad' : share >= 0.8 ? 'warn' : 'ok';
  return (
    <div className="quota" data-testid={testId}>
      <div className="row spread">
        {plain ? <span /> : <span>{label}</span>}
        <span className="num">
          {used !== null && (
            <>
              <b>{format(used)}</b>
              <span className="muted"> / </span>
            </>
          )}
          <span className={used === null ? undefined : 'muted'}>{limit === null ? t('word.unlimited') : format(limit)}</span>
        </span>
      </div>
      {used !== null && (
        <div className={`bar bar-${tone}`} role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={limit ?? undefined} aria-valuenow={used}>
          <i style={{ width: `${share * 100}%` }} />
        </div>
      )}
      {hint && <span className="muted small">{hint}</span>}
    </div>
  );
}
