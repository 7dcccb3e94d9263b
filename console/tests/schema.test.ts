import { describe, expect, it } from 'vitest';
import { fieldsOf, groupsOf, resolve, type Schema } from '@/shared/schema-form/schema';
import { defaultsOf, isShown, validate, visibleValue } from '@/shared/schema-form/values';

const oidc: Schema = {
  type: 'object',
  required: ['issuer', 'client_id', 'scopes'],
  'x-aistack': { groups: { mapping: { order: 2, i18n: { en: { title: 'Mapping' }, 'zh-CN': { title: '映射' } } } } },
  properties: {
    client_id: { type: 'string', minLength: 3, 'x-aistack': { order: 2 } },
    issuer: { type: 'string', format: 'uri', title: 'Issuer', 'x-aistack': { order: 1, i18n: { 'zh-CN': { title: '签发者' } } } },
    auth: { type: 'string', enum: ['secret', 'key'], default: 'secret', 'x-aistack': { order: 3 } },
    client_secret: { type: 'string', 'x-aistack': { order: 4, secret: true, 'show-if': { auth: 'secret' } } },
    key_id: { type: 'string', 'x-aistack': { order: 5, 'show-if': { field: 'auth', equals: 'key' } } },
    scopes: { type: 'array', items: { type: 'string' }, default: ['openid', 'email'], minItems: 1 },
    groups_claim: { type: ['string', 'null'], 'x-aistack': { group: 'mapping' } },
    role_map: { type: 'object', additionalProperties: { type: 'string' }, 'x-aistack': { group: 'mapping' } },
    leeway_s: { type: 'integer', minimum: 0, maximum: 300, default: 60 },
    endpoints: { $ref: '#/$defs/endpoints' },
  },
  $defs: { endpoints: { type: 'object', properties: { token: { type: 'string', format: 'uri' } } } },
};

const byKey = (schema: Schema) => Object.fromEntries(fieldsOf(schema, schema, 'en').map((f) => [f.key, f]));

describe('reading a schema', () => {
  it('orders fields by their hint, the others as written after them', () => {
    expect(fieldsOf(oidc, oidc, 'en').map((f) => f.key)).toEqual(['issuer', 'client_id', 'auth', 'client_secret', 'key_id', 'scopes', 'groups_claim', 'role_map', 'leeway_s', 'endpoints']);
  });

  it('chooses a widget for each kind of value', () => {
    const f = byKey(oidc);
    expect(Object.fromEntries(Object.entries(f).map(([k, v]) => [k, v.widget]))).toEqual({
      issuer: 'text', client_id: 'text', auth: 'radio', client_secret: 'secret', key_id: 'text', scopes: 'tags', groups_claim: 'text', role_map: 'keyvalue', leeway_s: 'number', endpoints: 'object',
    });
    const more = byKey({
      type: 'object',
      properties: {
        on: { type: 'boolean' },
        long: { type: 'string', 'x-aistack': { widget: 'textarea' } },
        many: { type: 'string', enum: ['a', 'b', 'c', 'd'] },
        set: { type: 'array', items: { enum: ['a', 'b'] } },
        rows: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
        anything: {},
        fixed: { const: 'x' },
        day: { type: 'string', format: 'date' },
      },
    });
    expect(Object.fromEntries(Object.entries(more).map(([k, v]) => [k, v.widget]))).toEqual({ on: 'switch', long: 'textarea', many: 'select', set: 'multiselect', rows: 'list', anything: 'code', fixed: 'const', day: 'date' });
  });

  it('takes titles from i18n, then title, then the key', () => {
    expect(fieldsOf(oidc, oidc, 'zh').find((f) => f.key === 'issuer')?.title).toBe('签发者');
    expect(byKey(oidc).issuer!.title).toBe('Issuer');
    expect(byKey(oidc).client_id!.title).toBe('Client id');
  });

  it('labels the values of an enumeration in the reader’s language', () => {
    const role: Schema = { type: 'object', properties: { role: { enum: ['member', 'odd'], 'x-aistack': { i18n: { en: { enum: { member: 'Member' } }, 'zh-CN': { enum: { member: '成员' } } } } } } };
    const labels = (locale: 'en' | 'zh') => fieldsOf(role, role, locale)[0]!.options.map((o) => o.label);
    expect(labels('en')).toEqual(['Member', 'odd']);
    expect(labels('zh')).toEqual(['成员', 'odd']);
  });

  it('completes an object’s own default with those of its fields', () => {
    const rules: Schema = {
      type: 'object',
      properties: { rules: { type: 'object', default: { role: 'admin' }, properties: { create: { type: 'boolean', default: true }, role: { type: 'string', default: 'member' } } } },
    };
    expect(defaultsOf(rules)).toEqual({ rules: { create: true, role: 'admin' } });
  });

  it('puts groups by their order, those nobody described last', () => {
    const grouped: Schema = {
      type: 'object',
      'x-aistack': { groups: { late: { order: 9 }, early: { order: 1 } } },
      properties: { a: { type: 'string', 'x-aistack': { group: 'unknown' } }, b: { type: 'string', 'x-aistack': { group: 'late' } }, c: { type: 'string', 'x-aistack': { group: 'early' } }, d: { type: 'string' } },
    };
    expect(groupsOf(fieldsOf(grouped, grouped, 'en'), grouped, 'en').map((g) => g.key)).toEqual(['', 'early', 'late', 'unknown']);
  });

  it('puts ungrouped fields first and names groups in the reader’s language', () => {
    expect(groupsOf(fieldsOf(oidc, oidc, 'zh'), oidc, 'zh').map((g) => g.title)).toEqual(['', '映射']);
  });

  it('names the secret after the key unless the hint says otherwise', () => {
    expect(byKey(oidc).client_secret!.secret).toBe('client_secret');
    expect(byKey({ properties: { a: { type: 'string', 'x-aistack': { secret: 'api_key' } } } }).a!.secret).toBe('api_key');
  });

  it('survives a reference that leads back to itself', () => {
    const tree: Schema = { type: 'object', properties: { child: { $ref: '#' } } };
    expect(resolve({ $ref: '#' }, tree).type).toBe('object');
    expect(defaultsOf(tree)).toEqual({});
  });

  it('reads generated optional values as nullable', () => {
    const f = byKey({ properties: { a: { anyOf: [{ type: 'integer' }, { type: 'null' }] } } }).a!;
    expect([f.widget, f.nullable]).toEqual(['number', true]);
  });
});

describe('values', () => {
  it('starts with the defaults and without secrets', () => {
    expect(defaultsOf(oidc)).toEqual({ auth: 'secret', scopes: ['openid', 'email'], leeway_s: 60 });
  });

  it('shows and hides by every form of the condition', () => {
    const v = { mode: 'cert', on: true };
    expect(isShown(null, v, v)).toBe(true);
    expect(isShown({ mode: 'cert' }, v, v)).toBe(true);
    expect(isShown({ mode: ['key', 'cert'] }, v, v)).toBe(true);
    expect(isShown({ mode: 'key' }, v, v)).toBe(false);
    expect(isShown({ field: 'mode', in: ['key'] }, v, v)).toBe(false);
    expect(isShown({ field: 'mode', not: 'key' }, v, v)).toBe(true);
    expect(isShown({ field: 'on' }, v, v)).toBe(true);
    expect(isShown({ field: 'off' }, v, v)).toBe(false);
    expect(isShown({ field: '/mode', equals: 'cert' }, {}, v)).toBe(true);
  });

  it('does not send what is hidden', () => {
    expect(visibleValue(oidc, { auth: 'secret', key_id: 'old', issuer: 'https://a' })).toEqual({ auth: 'secret', issuer: 'https://a' });
  });

  it('reports missing and wrong values by pointer', () => {
    const problems = validate(oidc, { client_id: 'ab', scopes: [], auth: 'secret', leeway_s: 999, endpoints: { token: 'nope' } });
    expect(problems.map((p) => p.pointer).sort()).toEqual(['/client_id', '/endpoints/token', '/issuer', '/leeway_s', '/scopes']);
    expect(validate(oidc, { issuer: 'https://idp.example', client_id: 'abc', scopes: ['openid'] })).toEqual([]);
  });

  it('does not judge what is hidden, nor by a pattern the browser cannot read', () => {
    const s: Schema = { properties: { a: { type: 'string', pattern: '(?<bad' }, b: { type: 'string', minLength: 9, 'x-aistack': { 'show-if': { a: 'x' } } } }, required: ['b'] };
    expect(validate(s, { a: 'y', b: 'z' })).toEqual([]);
  });
});
