/** One live stream per scope and tab, shared by every tile that listens. */
import { useQueryClient, type QueryKey } from '@tanstack/react-query';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { useScope } from '@/api/scope';
import { openStream, type SseEvent, type StreamState } from './sse';

type Listener = (event: SseEvent) => void;

interface Hub {
  listeners: Set<Listener>;
  watchers: Set<() => void>;
  state: StreamState;
  close: () => void;
  users: number;
}

const hubs = new Map<string, Hub>();

function join(url: string): Hub {
  let hub = hubs.get(url);
  if (!hub) {
    const created: Hub = { listeners: new Set(), watchers: new Set(), state: 'connecting', close: () => undefined, users: 0 };
    hubs.set(url, created);
    created.close = openStream(url, {
      onEvent: (event) => {
        for (const listener of created.listeners) listener(event);
      },
      onState: (state) => {
        created.state = state;
        for (const notify of created.watchers) notify();
      },
    });
    hub = created;
  }
  hub.users += 1;
  return hub;
}

function leave(url: string, hub: Hub): void {
  hub.users -= 1;
  // A short grace keeps the stream while one page replaces another.
  setTimeout(() => {
    if (hub.users === 0 && hubs.get(url) === hub) {
      hub.close();
      hubs.delete(url);
    }
  }, 500);
}

export function useLiveUrl(): string {
  const scope = useScope();
  return scope.realm === 'operator' && scope.apiBase === '' ? '/api/v1/platform/live' : `${scope.apiBase}/api/v1/live`;
}

/** Calls `handler` with the parsed data of each event of the given kinds. */
export function useLive<T = unknown>(kinds: string[], handler: (data: T, kind: string) => void): void {
  const url = useLiveUrl();
  const latest = useRef(handler);
  latest.current = handler;
  const wanted = kinds.join(',');
  useEffect(() => {
    const hub = join(url);
    const set = new Set(wanted.split(','));
    const listener: Listener = (event) => {
      if (!set.has(event.event)) return;
      try {
        latest.current(JSON.parse(event.data) as T, event.event);
      } catch {
        // An event this console does not understand is not worth breaking a page for.
      }
    };
    hub.listeners.add(listener);
    return () => {
      hub.listeners.delete(listener);
      leave(url, hub);
    };
  }, [url, wanted]);
}

/** Reads cached answers again when something of the given kinds happened: at once, then at most once per `ms`. */
export function useLiveRefresh(kinds: string[], queryKey: QueryKey, ms = 1500): void {
  const client = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const again = useRef(false);
  useEffect(() => () => clearTimeout(timer.current), []);
  useLive(kinds, () => {
    if (timer.current !== undefined) {
      again.current = true;
      return;
    }
    const run = () => {
      void client.invalidateQueries({ queryKey });
      timer.current = setTimeout(() => {
        timer.current = undefined;
        if (again.current) {
          again.current = false;
          run();
        }
      }, ms);
    };
    run();
  });
}

/** Whether the shared stream is open; `null` when no tile on the page listens. */
export function useLiveState(): StreamState | null {
  const url = useLiveUrl();
  return useSyncExternalStore(
    (notify) => {
      const hub = hubs.get(url);
      hub?.watchers.add(notify);
      return () => hub?.watchers.delete(notify);
    },
    () => hubs.get(url)?.state ?? null,
  );
}
