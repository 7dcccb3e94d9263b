/** "3 min. ago", with the absolute time on hover and for screen readers. */
import { Tooltip } from 'antd';
import { useSyncExternalStore } from 'react';
import { useLocale } from '@/i18n';
import { formatAbsolute, formatRelative } from '@/shared/format';

// One timer for all the times on the page.
let now = new Date();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = new Date();
    for (const notify of listeners) notify();
  }, 15_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

export function useNow(): Date {
  return useSyncExternalStore(subscribe, () => now);
}

export function RelativeTime({ value, timeZone }: { value: string | null | undefined; timeZone?: string }) {
  useLocale();
  const current = useNow();
  if (!value) return <span className="muted">–</span>;
  const at = new Date(value);
  // A time just written can be ahead of the shared tick: never show it as future.
  const reference = at > current && at.getTime() - current.getTime() < 20_000 ? at : current;
  return (
    <Tooltip title={formatAbsolute(at, timeZone)}>
      <time dateTime={value} className="nowrap">
        {formatRelative(at, reference)}
      </time>
    </Tooltip>
  );
}
