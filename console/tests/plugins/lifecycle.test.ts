import { afterEach, describe, expect, it } from 'vitest';
import type { CallDetail, Plugin } from '@/api/models';
import { ApiProblem } from '@/api/problem';
import { figuresOf, whyCommand } from '@/features/plugins/calls/figures';
import { filterTail, keepNewest, readEvent, readLines, type TailEntry } from '@/features/plugins/calls/lines';
import { describeAdded, readAdded } from '@/features/plugins/upgrade/added';
import { consentNeeded } from '@/features/plugins/upgrade/change';
import { compareVersions, versionsOf, wayOut } from '@/features/plugins/upgrade/versions';
import { setLocale } from '@/i18n';

afterEach(() => setLocale('en'));

const everything = {
  limits: ['call ms 20000 → 30000', 'run cpu ms 500 → 1000', 'memory bytes 16777216 → 33554432', 'call fuel 1 → 2'],
  http_hosts: ['https://api.example.com:443'],
  secrets: ['api_key: http:bearer', 'api_key: to https://api.example.com:443', 'pem: reveal', 'odd: levitate:up'],
  datasets: ['orders.daily'],
  interfaces: ['reveal', 'telepathy'],
  kv: ['bytes 524288 → 1048576', 'keys 100 → 1000'],
  endpoints: ['notify'],
  jobs: ['poll'],
  dial_targets: ['ldap.example.com:636'],
  quantum: ['entangle'],
};

describe('what a change asks for', () => {
  const said = () => describeAdded(readAdded(everything)).map((g) => [g.title, g.lines.map((l) => (l.grave ? `! ${l.text}` : l.text))]);

  it('is said in sentences with units, who it talks to first', () => {
    expect(said()).toEqual([
      ['Hosts', ['Send requests to https://api.example.com:443']],
      ['Connections', ['Open connections to ldap.example.com:636']],
      ['Secrets', ['Use the secret “api_key”: put it into requests (http:bearer)', 'Send the secret “api_key” to https://api.example.com:443', '! Use the secret “pem”: read its value (reveal)', 'Use the secret “odd”: levitate:up']],
      ['Data', ['Read the dataset orders.daily']],
      ['Functions of the platform', ['! Read secrets in the clear (reveal)', 'telepathy']],
      ['Addresses', ['Receive calls from outside at the address “notify”']],
      ['Background work', ['Run “poll” in the background by itself']],
      ['Own storage', ['Storage: 1 MiB instead of 512 KiB', 'Keys: 1,000 instead of 100']],
      ['Limits', ['Time per call: 30 s instead of 20 s', 'Computing time per run: 1 s instead of 500 ms', 'Memory: 32 MiB instead of 16 MiB', 'call fuel 1 → 2']],
      ['quantum', ['entangle']],
    ]);
  });

  it('is said in Chinese as well', () => {
    setLocale('zh');
    const flat = said().flatMap(([title, lines]) => [title, ...(lines as string[])]) as string[];
    expect(flat).toContain('使用密钥“api_key”：放入请求 (http:bearer)');
    expect(flat).toContain('每次调用时长：由 20 s 提高到 30 s');
    // What the catalogue does not know stays as it came; everything else is Chinese.
    for (const text of flat) if (!['quantum', 'entangle', 'telepathy', 'call fuel 1 → 2'].includes(text)) expect(text).toMatch(/[\u4e00-\u9fff]/);
  });

  it('survives an answer of another shape', () => {
    for (const odd of [null, undefined, 'x', [], 3]) expect(readAdded(odd)).toEqual({});
    expect(readAdded({ http_hosts: ['a', 1, null], empty: [], text: 'x' })).toEqual({ http_hosts: ['a'] });
  });

  it('is told from other conflicts, and the change to repeat holds no old consent', () => {
    const body = { code: 'conflict', reason: 'consent_needed', added_digest: 'abc', added: { jobs: ['poll'] } };
    const change = { version: '1.1.0', consent: 'stale', when_consented: true };
    expect(consentNeeded(new ApiProblem(body, 409, null), change)).toEqual({ change: { version: '1.1.0' }, added: { jobs: ['poll'] }, digest: 'abc' });
    expect(consentNeeded(new ApiProblem({ ...body, reason: 'nothing_pending' }, 409, null), change)).toBeNull();
    expect(consentNeeded(new ApiProblem({ code: 'conflict' }, 409, null), change)).toBeNull();
  });
});

describe('versions', () => {
  const plugin = (version: string, more: Partial<Plugin> = {}) => ({ plugin_id: 'acme.pay', version, digest: `sha256:${version}`, quarantined: null, ...more }) as Plugin;

  it('are ordered as semantic versioning says', () => {
    const ordered = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.2.0', '1.10.0', '2.0.0'];
    expect([...ordered].reverse().sort(compareVersions)).toEqual(ordered);
    expect(compareVersions('1.0.0+a', '1.0.0+b')).toBe(0);
    expect(compareVersions('1.0.0-a-b', '1.0.0-a-c')).toBeLessThan(0);
  });

  it('are those of the same plugin, newest first', () => {
    const all = [plugin('1.2.0'), plugin('9.0.0', { plugin_id: 'other.pay' }), plugin('1.10.0')];
    expect(versionsOf({ plugin_id: 'acme.pay' }, all).map((p) => p.version)).toEqual(['1.10.0', '1.2.0']);
  });

  it('show the way out of a version that is out of service', () => {
    const held = plugin('1.1.0', { quarantined: 'crashes' });
    const at = (previous_version?: string) => ({ version: '1.1.0', previous_version });
    expect(wayOut(at('1.0.0'), [plugin('1.2.0'), held, plugin('1.0.0')])).toEqual({ kind: 'back', version: '1.0.0' });
    expect(wayOut(at(), [plugin('1.2.0'), held, plugin('1.0.0')])).toEqual({ kind: 'change', version: '1.2.0' });
    expect(wayOut(at('1.0.0'), [plugin('1.2.0', { quarantined: 'too' }), held, plugin('1.0.0', { quarantined: 'as well' })])).toEqual({ kind: 'none' });
    expect(wayOut(at('0.9.0'), [held])).toEqual({ kind: 'none' });
  });
});

describe('the figures of a call', () => {
  const call = { wall_us: 30_000_000, guest_us: 4200, memory: 1 << 20, host_calls: 3, bytes_in: 2048, bytes_out: 10, limits: { wall_ms: 20_000, cpu_ms: 1000, memory: 16 << 20, host_calls: 10_000 } };
  it('stand beside their limits, and never beyond the end of the bar', () => {
    expect(figuresOf(call).map((f) => [f.key, f.used, f.limit])).toEqual([
      ['wall', '30 s', '20 s'],
      ['cpu', '4.2 ms', '1 s'],
      ['memory', '1 MiB', '16 MiB'],
      ['host_calls', '3', '10,000'],
      ['out', '10 B', null],
      ['in', '2 KiB', null],
    ]);
    expect(figuresOf(call).map((f) => f.share)).toEqual([1, 0.0042, 1 / 16, 0.0003, null, null]);
    expect(figuresOf({ ...call, limits: null }).every((f) => f.limit === null && f.share === null)).toBe(true);
  });

  it('come with the command that explains the call', () => {
    const where = { id: 'call_1', tenant: 'acme', installation: 'ins_1' } as CallDetail;
    expect(whyCommand(where, true)).toEqual(['plugin', 'why', 'call_1']);
    expect(whyCommand(where, false)).toEqual(['plugin', 'why', 'call_1', '--tenant', 'acme', '--installation', 'ins_1']);
  });
});

describe('the log', () => {
  const line = (n: number, level: string, message: string, fields: [string, string][] = []): TailEntry => ({ n, at: 0, call: `call_${n}`, level, message, fields });
  const all = [line(1, 'trace', 'a'), line(2, 'info', 'Charge made', [['order', 'ord_7']]), { n: 3, at: 0, dropped: 12 }, line(4, 'warn', 'slow'), line(5, 'error', 'refused'), line(6, 'odd', 'kept')];
  const numbers = (entries: TailEntry[]) => entries.map((e) => e.n);

  it('is filtered by level and words; gaps and unknown levels stay', () => {
    expect(numbers(filterTail(all, 'trace', ''))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(numbers(filterTail(all, 'warn', ''))).toEqual([3, 4, 5, 6]);
    expect(numbers(filterTail(all, 'trace', 'CHARGE ord_7'))).toEqual([2, 3]);
    expect(numbers(filterTail(all, 'error', 'charge'))).toEqual([3]);
    expect(numbers(filterTail(all, 'trace', 'call_5'))).toEqual([3, 5]);
  });

  it('reads the events of the stream and drops what it does not understand', () => {
    const data = JSON.stringify({ call: 'call_1', level: 'warn', message: '<b>x</b>', fields: [['k', 'v'], ['broken'], 7] });
    expect(readEvent('log', data, 1, 5)).toEqual({ n: 1, at: 5, call: 'call_1', level: 'warn', message: '<b>x</b>', fields: [['k', 'v']] });
    expect(readEvent('dropped', '{"lines": 12}', 2, 5)).toEqual({ n: 2, at: 5, dropped: 12 });
    for (const [event, text] of [['heartbeat', '{"at":1}'], ['log', 'not json'], ['log', '[]'], ['log', '{"level":"info"}'], ['dropped', '{}']] as const) expect(readEvent(event, text, 1, 1)).toBeNull();
    expect(readLines([{ level: 'info', message: 'a' }, null, { message: 3 }])).toEqual([{ level: 'info', message: 'a', fields: [] }]);
    expect(readLines('x')).toEqual([]);
  });

  it('keeps the newest lines only', () => {
    expect(keepNewest([1, 2, 3], [4, 5], 3)).toEqual([3, 4, 5]);
    expect(keepNewest([1], [2], 3)).toEqual([1, 2]);
  });
});
