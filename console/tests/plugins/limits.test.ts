import { afterEach, describe, expect, it } from 'vitest';
import type { Plugin, PluginTerms } from '@/api/models';
import { ceilingArguments } from '@/features/plugins/limits/ceiling/calls';
import { boundMembers, ceilingBody, declaredOf, isOpen, OPEN, readCeiling } from '@/features/plugins/limits/ceiling/ceiling';
import { newestOfEach } from '@/features/plugins/limits/ceiling/in-tenant';
import { unitFor } from '@/features/plugins/limits/controls';
import { boundsNothing, formatFigure, inForce, NO_TERMS, termsBody } from '@/features/plugins/limits/terms/terms';
import { below } from '@/features/plugins/limits/trust';
import { groupCuts, imposed } from '@/features/plugins/parts/cut-words';
import { setLocale } from '@/i18n';

afterEach(() => setLocale('en'));

describe('a ceiling', () => {
  const set = { allowed: true, grants: { interfaces: ['http'], http_hosts: [], secrets: { key: { uses: ['http:bearer'], hosts: ['*.pay.example'] } }, kv_keys: 0, private_hosts: null } };

  it('tells apart what does not bound from what lets nothing through', () => {
    const read = readCeiling(set as never);
    expect(boundMembers(read.grants)).toEqual(['interfaces', 'http_hosts', 'secrets', 'kv_keys']);
    expect([isOpen(read), isOpen(OPEN), isOpen({ ...OPEN, allowed: false }), isOpen(readCeiling({}))]).toEqual([false, true, false, true]);
  });

  it('is sent with what bounds only', () => {
    const { private_hosts: _, ...bounding } = set.grants;
    expect(ceilingBody(readCeiling(set as never))).toEqual({ allowed: true, grants: bounding });
    expect(ceilingBody(OPEN)).toEqual({ allowed: true, grants: {} });
  });

  it('does not name a secret that may be used for nothing', () => {
    const secrets = { a: { uses: [], hosts: ['x.example'] }, b: { uses: ['reveal'], hosts: [] } };
    expect(ceilingBody({ allowed: true, grants: { ...OPEN.grants, secrets } }).grants).toEqual({ secrets: { b: secrets.b } });
  });

  it('is the same in a terminal', () => {
    expect(ceilingArguments({ plugin: 'acme.pay', tenant: 'beta' }, { allowed: false, grants: { ...OPEN.grants, kv_keys: 3 } })).toEqual(['plugin', 'ceiling', 'set', 'acme.pay', '--tenant', 'beta', '--grants', '{"kv_keys":3}', '--forbid']);
  });
});

describe('what a plugin asks for', () => {
  const manifest = {
    egress: [{ kind: 'http', hosts: ['api.pay.example', '${config.base}', '${config.more}'] }, { kind: 'dial', hosts: ['${config.server}'] }],
    secret: [{ name: 'key', use: ['http:bearer', 'reveal'], hosts: ['${config.base}'] }],
    grants: { kv: { bytes: 1 }, blob: false },
    report: [],
  };
  const config_schema = { type: 'object', properties: { base: { type: 'string', default: 'https://eu.pay.example:8443/v1' }, more: { type: 'array', default: ['a.example', 'b.example'] }, server: { type: 'string' } } };

  it('is known from its manifest, and from what its form proposes', () => {
    const declared = declaredOf({ manifest, config_schema } as unknown as Plugin);
    expect(declared.lists).toEqual({
      interfaces: ['http', 'dial', 'download', 'secrets', 'reveal', 'kv'],
      http_hosts: ['api.pay.example', 'eu.pay.example:8443', 'a.example', 'b.example'],
      dial_targets: [],
      private_hosts: [],
      datasets: [],
    });
    expect(declared.secrets).toEqual({ key: { uses: ['http:bearer', 'reveal'], hosts: ['eu.pay.example:8443'] } });
    expect(declared.fromConfig).toBe(true);
  });

  it('is little for a report', () => {
    const declared = declaredOf({ manifest: { report: [{ datasets: ['usage.daily'] }, { datasets: ['usage.daily'] }] }, config_schema: null } as unknown as Plugin);
    expect([declared.lists.interfaces, declared.lists.datasets, declared.fromConfig]).toEqual([['blob', 'datasets'], ['usage.daily'], false]);
    expect(declaredOf({ manifest: 'nonsense', config_schema: 7 } as unknown as Plugin).lists.interfaces).toEqual([]);
  });

  it('is read from the newest version of each plugin', () => {
    const p = (plugin_id: string, version: string) => ({ plugin_id, version }) as Plugin;
    expect(newestOfEach([p('b', '1.9.0'), p('a', '1.0.0'), p('b', '1.10.0')]).map((x) => `${x.plugin_id} ${x.version}`)).toEqual(['a 1.0.0', 'b 1.10.0']);
  });
});

describe('terms', () => {
  const plan: PluginTerms = { ...NO_TERMS, calls_per_second: 1000, kinds: ['report'] };

  it('of a tenant stand over those of its plan, an empty list too', () => {
    const own: PluginTerms = { ...NO_TERMS, kinds: [], kv_bytes: 5 };
    expect([inForce('kinds', own, plan), inForce('calls_per_second', own, plan), inForce('call_ms', own, plan)]).toEqual([{ value: [], own: true }, { value: 1000, own: false }, { value: null, own: false }]);
    expect([boundsNothing(NO_TERMS), boundsNothing(own)]).toEqual([true, false]);
  });

  it('are sent whole: a figure that was emptied bounds no more', () => {
    expect(termsBody({ ...plan, calls_per_second: undefined as never, installations: 0 })).toEqual({ ...NO_TERMS, kinds: ['report'], installations: 0 });
  });

  it('are read with their units', () => {
    expect([formatFigure('cpu_ms_per_minute', 0), formatFigure('cpu_ms_per_minute', 30_000), formatFigure('egress_bytes_per_day', 1 << 30), formatFigure('calls_per_second', 5000), formatFigure('call_ms', 250)]).toEqual(['0 ms', '30 s', '1 GiB', '5,000', '250 ms']);
  });
});

it('sizes are typed in the unit in which they are whole', () => {
  expect([unitFor(null), unitFor(0), unitFor(5), unitFor(2048), unitFor(3 << 20), unitFor(2 ** 40)]).toEqual([2 ** 20, 2 ** 20, 1, 2 ** 10, 2 ** 20, 2 ** 30]);
});

it('signatures that are worth less than is demanded are found', () => {
  const on = [{ name: 'A', digest: 'a' }, { name: 'B', digest: 'b' }, { name: 'C', digest: 'c' }, { name: 'Gone', digest: 'x' }];
  const catalogue = [{ digest: 'a', tier: 'unsigned' }, { digest: 'b', tier: 'verified' }, { digest: 'c', tier: 'core' }];
  const names = (demand: string) => below(demand, on, catalogue).map((w) => w.name);
  expect([names('development'), names('community'), names('verified'), names('core')]).toEqual([[], ['A'], ['A'], ['A', 'B']]);
});

describe('cuts', () => {
  const cuts = [
    { by: 'tenant', kind: 'http_hosts', what: 'api.pay.example:443' },
    { by: 'operator', kind: 'kv_bytes', what: '1024 of 1048576' },
    { by: 'plan', kind: 'interfaces', what: 'kv' },
    { by: 'operator', kind: 'secrets', what: 'key: reveal' },
    { by: 'operator', kind: 'secrets', what: 'key: to pay.example:443' },
    { by: 'operator', kind: 'secrets', what: 'other' },
    { by: 'operator', kind: 'kv_keys', what: '0 of 10000' },
  ];

  it('are told by who made them, in words', () => {
    expect(groupCuts(cuts).map((g) => [g.by, g.lines.map((l) => l.text)])).toEqual([
      ['operator', ['Storage: 1 KiB of 1 MiB', 'Use the secret “key”: read its value (reveal)', 'Send the secret “key” to pay.example:443', 'Use the secret “other”', 'Keys: 0 of 10,000']],
      ['plan', ['Keep data of its own (kv)']],
      ['tenant', ['Send requests to api.pay.example:443']],
    ]);
    setLocale('zh');
    expect(groupCuts(cuts)[0]!.lines[0]!.text).toBe('存储空间：请求 1 MiB，实得 1 KiB');
  });

  it('that the tenant chose itself are nothing to warn of', () => {
    expect([imposed(cuts).length, imposed(cuts.slice(0, 1)).length, groupCuts([]).length]).toEqual([6, 0, 0]);
  });
});
