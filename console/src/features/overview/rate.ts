/** Turns a counter that only grows (until midnight) into a rate per minute over a sliding window. */
import { useEffect, useRef, useState } from 'react';

export interface Rate {
  times: number[];
  values: number[];
}

/** Adds one reading; a counter that went back (a new day) starts anew instead of showing a negative rate. */
export function nextRate(rate: Rate, last: { at: number; count: number } | null, at: number, count: number, windowSeconds: number): Rate {
  if (!last || at <= last.at) return rate;
  const perMinute = count < last.count ? 0 : ((count - last.count) / (at - last.at)) * 60;
  const from = rate.times.findIndex((x) => x >= at - windowSeconds);
  const keep = from < 0 ? rate.times.length : from;
  return { times: [...rate.times.slice(keep), at], values: [...rate.values.slice(keep), perMinute] };
}

export function useRate(count: number | undefined, updatedAtMs: number, windowSeconds: number): Rate {
  const [rate, setRate] = useState<Rate>({ times: [], values: [] });
  const last = useRef<{ at: number; count: number } | null>(null);
  useEffect(() => {
    if (count === undefined || updatedAtMs === 0) return;
    const at = updatedAtMs / 1000;
    const before = last.current;
    // Readings closer than a second would make the line jump.
    if (before && at - before.at < 0.9) return;
    setRate((r) => nextRate(r, before, at, count, windowSeconds));
    last.current = { at, count };
  }, [count, updatedAtMs, windowSeconds]);
  return rate;
}
