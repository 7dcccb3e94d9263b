import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { locateConsole } from '@/app/console';
import { colors } from '@/app/theme';
import { matchesQuery } from '@/app/palette';
import { safeReturn } from '@/features/access/login';
import { changesOf } from '@/features/audit/diff';
import { readLoginStep } from '@/features/access/step';
import { readStep } from '@/features/orders/payment-action';
import { isWebAddress } from '@/shared/ui/act/handover';
import { nextRate } from '@/features/overview/rate';
import { capabilitiesOf } from '@/features/plugins/parts/manifest';
import { slugify } from '@/features/tenants/choices';
import { formatBytes, formatMoney, formatRelative, parseMoney } from '@/shared/format';
import { openStream, SseParser, type SseEvent, type StreamState } from '@/shared/live/sse';
import { curlCommand, shellQuote } from '@/shared/ui/act/copy-as';
import { shorten } from '@/shared/ui/copyable';

describe('server-sent events', () => {
  it('cuts a stream wherever the chunks end', () => {
    const text = ': hello\n\nid: 7\nevent: usage\ndata: {"a":1}\ndata: {"b":2}\n\nretry: 1500\ndata: x\r\n\r\nevent: lost\n\n';
    for (const size of [1, 2, 3, 1000]) {
      const parser = new SseParser();
      const events: SseEvent[] = [];
      for (let i = 0; i < text.length; i += size) events.push(...parser.push(text.slice(i, i + size)));
      expect(events).toEqual([
        { id: '7', event: 'usage', data: '{"a":1}\n{"b":2}' },
        { id: '7', event: 'message', data: 'x' },
      ]);
      expect(parser.retryMs).toBe(1500);
    }
  });

  it('resumes with Last-Event-ID after the tab was hidden, and reads nothing meanwhile', async () => {
    const asked: Headers[] = [];
    const encoder = new TextEncoder();
    vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
      asked.push(new Headers(init.headers));
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(encoder.encode(`id: e${asked.length}\ndata: 1\n\n`));
          init.signal?.addEventListener('abort', () => controller.error(new DOMException('aborted', 'AbortError')));
        },
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    });
    const hide = (hidden: boolean) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    };
    const states: StreamState[] = [];
    const events: SseEvent[] = [];
    const close = openStream('/live', { onEvent: (e) => events.push(e), onState: (s) => states.push(s) });
    await vi.waitFor(() => expect(events).toHaveLength(1));
    hide(true);
    expect(states.at(-1)).toBe('paused');
    hide(false);
    await vi.waitFor(() => expect(events).toHaveLength(2));
    expect(asked.map((h) => h.get('last-event-id'))).toEqual([null, 'e1']);
    expect(states).toEqual(['connecting', 'live', 'paused', 'connecting', 'live']);
    close();
    vi.unstubAllGlobals();
  });
});

describe('small rules', () => {
  it('finds the console’s place in the address', () => {
    expect(locateConsole('/console/tenants')).toEqual({ apiBase: '', basePath: '/console' });
    expect(locateConsole('/t/acme/console/')).toEqual({ apiBase: '/t/acme', basePath: '/t/acme/console' });
    expect(locateConsole('/t/acme/console')).toEqual({ apiBase: '/t/acme', basePath: '/t/acme/console' });
  });

  it('returns only to this console after sign-in', () => {
    expect(safeReturn('/tenants/acme?q=1')).toBe('/tenants/acme?q=1');
    for (const evil of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '/login?return=/login', undefined]) expect(safeReturn(evil)).toBe('/');
  });

  it('follows payments to web addresses only', () => {
    expect(isWebAddress('https://checkout.example/x')).toBe(true);
    for (const evil of ['javascript:alert(1)', 'data:text/html,x', '', null, 'nonsense']) expect(isWebAddress(evil)).toBe(false);
  });

  it('reads what the payer has to do, and nothing that is not for a browser', () => {
    expect(readStep({ type: 'redirect', url: 'https://pay.example/1' })).toEqual({ type: 'redirect', url: 'https://pay.example/1' });
    expect(readStep({ type: 'form_post', url: 'https://pay.example', fields: { a: '1' } })).toEqual({ type: 'form_post', url: 'https://pay.example', fields: [['a', '1']] });
    expect(readStep({ type: 'form_post', url: 'https://pay.example', fields: [['a', '1']] })).toMatchObject({ fields: [['a', '1']] });
    expect(readStep({ type: 'qr', payload: 'weixin://x' })).toEqual({ type: 'qr', payload: 'weixin://x' });
    for (const other of [null, {}, { type: 'redirect', url: 'javascript:alert(1)' }, { type: 'client', data: {} }]) expect(readStep(other)).toBeNull();
  });

  it('keeps money exact', () => {
    expect(parseMoney('19.99', 'USD')).toBe(1999);
    expect(parseMoney('0.1', 'USD')).toBe(10);
    expect(parseMoney('1000', 'JPY')).toBe(1000);
    expect(parseMoney('1.234', 'BHD')).toBe(1234);
    for (const wrong of ['1.999', '-1', '1e3', 'abc', '', '1.5.2']) expect(parseMoney(wrong, 'USD')).toBeNull();
    expect(parseMoney('1.5', 'JPY')).toBeNull();
    expect(formatMoney({ minor: 1999, currency: 'USD' })).toBe('$19.99');
    expect(formatMoney({ minor: 1000, currency: 'JPY' })).toBe('¥1,000');
    expect(formatMoney(null)).toBe('–');
  });

  it('writes sizes and times as people say them', () => {
    expect(formatBytes(1023)).toBe('1,023 B');
    expect(formatBytes(1536)).toBe('1.5 KiB');
    const now = new Date('2026-01-01T12:00:00Z');
    expect(formatRelative(new Date('2026-01-01T11:57:30Z'), now)).toBe('2 minutes ago');
    expect(formatRelative(new Date('2026-01-01T12:00:00Z'), now)).toBe('just now');
  });

  it('makes slugs', () => {
    expect(slugify('  Åcme Röbotics, GmbH ')).toBe('acme-robotics-gmbh');
    expect(slugify('深圳')).toBe('');
  });

  it('shortens ids but keeps their prefix', () => {
    expect(shorten('ten_0190f2a1b2c34d5e6f708192a3b4c5d6')).toBe('ten_…b4c5d6');
    expect(shorten('short')).toBe('short');
  });

  it('quotes for the shell', () => {
    expect(shellQuote("it's")).toBe(`'it'\\''s'`);
    expect(curlCommand('https://h', 'POST', '/api', { a: "b'c" })).toBe(`curl -fsS -X POST https://h/api -H "Authorization: Bearer $AISTACK_TOKEN" -H 'content-type: application/json' -d '{"a":"b'\\''c"}'`);
  });

  it('reads changes in every shape the log writes', () => {
    expect(changesOf({ before: { a: 1, b: { c: 1 } }, after: { a: 1, b: { c: 2 }, d: true }, reason: 'x' })).toEqual({
      changes: [{ field: 'b.c', before: 1, after: 2 }, { field: 'd', before: undefined, after: true }],
      rest: { reason: 'x' },
    });
    expect(changesOf({ changes: { plan: ['free', 'basic'], name: { from: 'a', to: 'b' } } }).changes).toEqual([
      { field: 'plan', before: 'free', after: 'basic' },
      { field: 'name', before: 'a', after: 'b' },
    ]);
    expect(changesOf({ before: 'plan', after: 5 })).toEqual({ changes: [{ field: 'value', before: 'plan', after: 5 }], rest: null });
    expect(changesOf(null)).toEqual({ changes: [], rest: null });
  });

  it('never shows a negative rate when the counter starts anew', () => {
    const empty = { times: [], values: [] };
    expect(nextRate(empty, { at: 10, count: 100 }, 20, 110, 60)).toEqual({ times: [20], values: [60] });
    expect(nextRate(empty, { at: 10, count: 100 }, 20, 5, 60).values).toEqual([0]);
    expect(nextRate({ times: [10, 90], values: [1, 2] }, { at: 90, count: 0 }, 100, 0, 60)).toEqual({ times: [90, 100], values: [2, 0] });
  });

  it('matches words in any order', () => {
    expect(matchesQuery('Gateway routes Go to', 'go rout')).toBe(true);
    expect(matchesQuery('Gateway routes', 'tenant')).toBe(false);
  });

  it('lists what a plugin asks for', () => {
    const caps = capabilitiesOf({ egress: [{ kind: 'http', hosts: ['api.stripe.com:443'], reason: { en: 'call the API' } }], secret: [{ name: 'api_key', use: ['http:bearer'], hosts: ['api.stripe.com'] }], grants: { kv: { bytes: '1MiB' }, interfaces: ['config', 'blob'], datasets: ['usage.daily'] } }, 'en');
    expect(caps).toEqual([
      { kind: 'egress', subject: 'api.stripe.com:443', detail: '', reason: 'call the API' },
      { kind: 'secret', subject: 'api_key', detail: 'http:bearer → api.stripe.com', reason: '' },
      { kind: 'kv', subject: '1MiB', detail: '', reason: '' },
      { kind: 'other', subject: 'blob', detail: '', reason: '' },
      { kind: 'dataset', subject: 'usage.daily', detail: '', reason: '' },
    ]);
    expect(capabilitiesOf(null, 'en')).toEqual([]);
    const schema = { properties: { api_base: { title: 'API address' } } };
    expect(capabilitiesOf({ egress: [{ kind: 'http', hosts: ['${config.api_base}', '${config.other}'] }] }, 'en', schema)[0]?.subject).toBe('the host of “API address”, the host of “other”');
  });

  it('uses the same colours in CSS and in antd, with enough contrast for text', () => {
    const css = readFileSync('src/styles.css', 'utf8');
    const luminance = (hex: string) => {
      const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)) as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a: string, b: string) => {
      const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p) as [number, number];
      return (x + 0.05) / (y + 0.05);
    };
    for (const name of ['light', 'dark'] as const) {
      const c = colors(name);
      const block = name === 'light' ? css.slice(css.indexOf(':root'), css.indexOf('[data-theme')) : css.slice(css.indexOf('[data-theme'));
      for (const [token, variable] of [['bg', '--bg'], ['surface', '--surface'], ['border', '--border'], ['text', '--text'], ['text2', '--text-2'], ['text3', '--text-3'], ['primary', '--primary'], ['ok', '--ok'], ['warn', '--warn'], ['bad', '--bad']] as const) {
        expect(block, `${name} ${variable}`).toContain(`${variable}: ${c[token]};`);
      }
      for (const ground of [c.bg, c.surface]) for (const text of [c.text, c.text2, c.text3, c.primary, c.ok, c.warn, c.bad]) expect(contrast(text, ground), `${name} ${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });
});

describe('the steps of a sign-in', () => {
  it('reads what a browser can do', () => {
    expect(readLoginStep({ step: 'redirect', url: 'https://id.example.com/' })).toEqual({ type: 'handover', to: { type: 'redirect', url: 'https://id.example.com/' } });
    expect(readLoginStep({ step: 'form_post', url: 'https://id.example.com/', fields: [['SAMLRequest', 'x']] })).toEqual({
      type: 'handover',
      to: { type: 'form_post', url: 'https://id.example.com/', fields: [['SAMLRequest', 'x']] },
    });
    expect(readLoginStep({ step: 'qr', payload: 'abc', poll_ms: 700 })).toEqual({ type: 'qr', payload: 'abc', pollMs: 700 });
    expect(readLoginStep({ step: 'done', return_to: '/console/orders' })).toEqual({ type: 'done', returnTo: '/console/orders' });
  });

  it('follows no address that is not of the web, and returns to no other site', () => {
    expect(readLoginStep({ step: 'redirect', url: 'javascript:alert(1)' })).toEqual({ type: 'unknown' });
    expect(readLoginStep({ step: 'done', return_to: '//evil.example' })).toEqual({ type: 'done', returnTo: '/' });
    expect(readLoginStep({ step: 'done', return_to: '/\\evil.example' })).toEqual({ type: 'done', returnTo: '/' });
    expect(readLoginStep({ step: 'embed', widget: {}, origins: [] })).toEqual({ type: 'unknown' });
    expect(readLoginStep(null)).toEqual({ type: 'unknown' });
  });
});
