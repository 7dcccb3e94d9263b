/** A state as a dot and a word: colour never stands alone. */
import { useT } from '@/i18n';

type Tone = 'ok' | 'warn' | 'bad' | 'busy' | 'idle';

const TONES: Record<string, Tone> = {
  active: 'ok', paid: 'ok', succeeded: 'ok', ok: 'ok', done: 'ok', closed: 'ok', ready: 'busy', running: 'busy',
  pending: 'busy', queued: 'busy', provisioning: 'busy', leased: 'busy',
  past_due: 'warn', read_only: 'warn', pending_verification: 'warn', pending_approval: 'warn', unknown: 'warn', half_open: 'warn', denied: 'warn',
  in_service: 'ok', held: 'bad', revoked: 'bad', promoted: 'ok', rolled_back: 'warn',
  fault: 'bad', trap: 'bad', timeout: 'bad', limit: 'bad', refused: 'warn',
  verified: 'ok', failing: 'warn', unverified: 'bad',
  suspended: 'bad', failed: 'bad', dead: 'bad', open: 'bad',
};

export function Status({ value, prefix = 'status' }: { value: string; prefix?: string }) {
  const { tv } = useT();
  return (
    <span className={`status status-${TONES[value] ?? 'idle'}`} data-status={value}>
      <i aria-hidden />
      {tv(prefix, value)}
    </span>
  );
}
