/** A small reader of Server-Sent Events over `fetch`: unlike `EventSource` it can resume after a pause with `Last-Event-ID`. */

export interface SseEvent {
  id: string | null;
  event: string;
  data: string;
}

/** Cuts a stream of text into events by the rules of the HTML standard (§9.2.6). Feed it chunks as they come. */
export class SseParser {
  private buffer = '';
  private data: string[] = [];
  private event = '';
  lastId: string | null = null;
  retryMs: number | null = null;

  push(chunk: string): SseEvent[] {
    this.buffer += chunk;
    const out: SseEvent[] = [];
    for (;;) {
      const match = /\r\n|\n|\r/.exec(this.buffer);
      if (!match) break;
      // A lone CR at the end may be the first half of CRLF: wait for the rest.
      if (match[0] === '\r' && match.index === this.buffer.length - 1) break;
      const line = this.buffer.slice(0, match.index);
      this.buffer = this.buffer.slice(match.index + match[0].length);
      const done = this.line(line);
      if (done) out.push(done);
    }
    return out;
  }

  private line(line: string): SseEvent | null {
    if (line === '') {
      if (this.data.length === 0) {
        this.event = '';
        return null;
      }
      const event = { id: this.lastId, event: this.event || 'message', data: this.data.join('\n') };
      this.data = [];
      this.event = '';
      return event;
    }
    if (line.startsWith(':')) return null;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.event = value;
    else if (field === 'id' && !value.includes('\0')) this.lastId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }
}

export type StreamState = 'connecting' | 'live' | 'paused' | 'offline';

export interface StreamHandlers {
  onEvent: (event: SseEvent) => void;
  onState: (state: StreamState) => void;
}

/** Keeps one stream open while the tab is visible; reconnects with growing pauses. Returns the function that ends it. */
export function openStream(url: string, handlers: StreamHandlers): () => void {
  let stopped = false;
  let abort: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let lastId: string | null = null;

  async function run(): Promise<void> {
    abort = new AbortController();
    const mine = abort;
    handlers.onState('connecting');
    try {
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      if (lastId) headers['Last-Event-ID'] = lastId;
      const response = await fetch(url, { headers, signal: mine.signal, credentials: 'same-origin', cache: 'no-store' });
      if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
      handlers.onState('live');
      failures = 0;
      const parser = new SseParser();
      parser.lastId = lastId;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        for (const event of parser.push(value)) {
          lastId = event.id;
          handlers.onEvent(event);
        }
      }
    } catch {
      // Falls through to the next attempt, unless we ended the stream ourselves.
    }
    if (stopped || mine.signal.aborted) return;
    failures += 1;
    handlers.onState('offline');
    timer = setTimeout(() => void run(), Math.min(30_000, 1000 * 2 ** Math.min(failures - 1, 5)));
  }

  function pause(): void {
    clearTimeout(timer);
    abort?.abort();
  }

  function onVisibility(): void {
    pause();
    if (document.hidden) handlers.onState('paused');
    else void run();
  }

  document.addEventListener('visibilitychange', onVisibility);
  if (!document.hidden) void run();
  else handlers.onState('paused');
  return () => {
    stopped = true;
    document.removeEventListener('visibilitychange', onVisibility);
    pause();
  };
}
