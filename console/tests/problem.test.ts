import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApi, take } from '@/api/client';
import { ApiProblem, explain, fieldsBelow, fieldsBeside, pointerPath, toProblem } from '@/api/problem';
import { setLocale } from '@/i18n';
import { en } from '@/i18n/en';
import { fieldErrors, showFieldErrors } from '@/shared/ui/form/field-errors';

const headers = (id?: string) => new Headers(id ? { 'x-request-id': id } : {});

describe('problem documents', () => {
  it('keeps code, fields and request id', () => {
    const p = toProblem({ code: 'plugin_config_invalid', status: 422, detail: 'issuer is required', request_id: 'req_1', errors: [{ pointer: '/config/issuer', code: 'required', message: 'is required' }] }, { status: 422, headers: headers() });
    expect(p.code).toBe('plugin_config_invalid');
    expect(p.requestId).toBe('req_1');
    expect(p.fields).toEqual([{ pointer: '/config/issuer', code: 'required', message: 'is required' }]);
    expect(p.message).toBe('issuer is required');
  });

  it('takes the request id from the header when a proxy ate the body', () => {
    const p = toProblem('<html>Bad gateway</html>', { status: 502, headers: headers('req_2') });
    expect(p.requestId).toBe('req_2');
    expect(p.code).toBe('internal');
  });

  it('drops malformed errors instead of breaking the form', () => {
    expect(toProblem({ code: 'validation_failed', errors: [null, { message: 'x' }, { pointer: '/a', code: 'b', message: 'c' }] }, { status: 422, headers: headers() }).fields).toHaveLength(1);
  });

  it('explains a known code with a next step, an unknown one by the server’s title', () => {
    const known = explain(new ApiProblem({ code: 'quota_exceeded', detail: 'api.calls is used up', request_id: 'req_3' }, 429, null));
    expect(known).toEqual({ title: 'The quota is used up', detail: 'api.calls is used up', next: 'Wait for the reset, or ask an operator to raise the limit.', hint: null, requestId: 'req_3' });
    expect(explain(new ApiProblem({ code: 'teapot', title: 'I am a teapot' }, 418, null)).title).toBe('I am a teapot');
  });

  it('says why a plugin was refused and which permission is missing', () => {
    expect(explain(new ApiProblem({ code: 'plugin_refused', reason: 'not_a_component' }, 422, null)).detail).toBe('Reason: the file is not a WebAssembly component');
    expect(explain(new ApiProblem({ code: 'permission_denied', permission: 'quota:write' }, 403, null)).detail).toBe('Permission needed: quota:write');
  });

  it('gives the hint of the case instead of the general advice', () => {
    const known = explain(new ApiProblem({ code: 'plugin_refused', reason: 'unsigned', hint: 'aistack plugin trust add' }, 422, null));
    expect(known.hint).toBe('Have the publisher sign it and add their key under Publishers.');
    expect(known.next).toBe('');
    const served = new ApiProblem({ code: 'conflict', hint: 'take the other one' }, 409, null);
    expect(explain(served)).toMatchObject({ hint: 'take the other one', next: '' });
    setLocale('zh');
    // A hint in English alone would leave a Chinese reader without advice.
    expect(explain(served)).toMatchObject({ hint: 'take the other one', next: '请刷新查看最新状态后再操作。' });
    expect(explain(new ApiProblem({ code: 'plugin_refused', reason: 'unsigned', hint: 'x' }, 422, null))).toMatchObject({ hint: '请发布者签名，并在“发布者”页面添加其密钥。', next: '' });
    setLocale('en');
  });

  it('has a hint for every reason of the runtime, in the console’s own words', () => {
    const hinted = Object.keys(en).filter((k) => k.startsWith('refusal_hint.')).map((k) => k.slice('refusal_hint.'.length));
    expect(hinted.length).toBeGreaterThan(10);
    for (const reason of hinted) expect(Object.keys(en), reason).toContain(`refusal.${reason}`);
  });

  it('reads anything thrown as "not reachable"', () => {
    expect(explain(new TypeError('Failed to fetch')).title).toBe('The server cannot be reached');
  });
});

describe('JSON pointers', () => {
  it('splits and unescapes', () => {
    expect(pointerPath('/config/redirect_uris/0')).toEqual(['config', 'redirect_uris', '0']);
    expect(pointerPath('/a~1b/c~0d')).toEqual(['a/b', 'c~d']);
    expect(pointerPath('')).toEqual([]);
  });

  it('selects the errors below a prefix', () => {
    const p = new ApiProblem({ errors: [{ pointer: '/config/a', code: 'x', message: 'm' }, { pointer: '/configuration', code: 'x', message: 'm' }, { pointer: '/name', code: 'x', message: 'm' }] }, 422, null);
    expect(fieldsBelow(p, '/config').map((f) => f.pointer)).toEqual(['/a']);
  });

  it('finds what no field of a plugin’s form can show', () => {
    const p = new ApiProblem({ errors: ['/config/a', '/configuration', '/secrets/b', '/grants/hosts', ''].map((pointer) => ({ pointer, code: 'x', message: 'm' })) }, 422, null);
    expect(fieldsBeside(p).map((f) => f.pointer)).toEqual(['/configuration', '/grants/hosts', '']);
  });

  it('puts the hint under the message', () => {
    const p = new ApiProblem({ errors: [{ pointer: '/slug', code: 'x', message: 'taken', hint: 'try acme-2' }] }, 422, null);
    expect(fieldErrors(p.fields, ['slug'])).toEqual([{ name: 'slug', errors: ['taken', 'try acme-2'] }]);
  });

  it('maps to form fields, nested ones too, and leaves the rest to the message', () => {
    const p = new ApiProblem({ errors: [{ pointer: '/slug', code: 'x', message: 'taken' }, { pointer: '/owner/email', code: 'x', message: 'bad' }, { pointer: '/amount/minor', code: 'x', message: 'zero' }, { pointer: '/other', code: 'x', message: 'm' }] }, 422, null);
    expect(fieldErrors(p.fields, ['slug', 'owner.email', 'amount'])).toEqual([
      { name: 'slug', errors: ['taken'] },
      { name: ['owner', 'email'], errors: ['bad'] },
      { name: 'amount', errors: ['zero'] },
    ]);
  });

  it('marks a field once with all that is wrong inside its value', () => {
    const errors = ['/grants/hosts/0', '/grants/hosts/2', '/grants/keys', '/grants'].map((pointer) => ({ pointer, code: 'x', message: `wrong ${pointer}` }));
    const set: unknown[] = [];
    showFieldErrors({ setFields: (fields) => set.push(fields) }, new ApiProblem({ errors }, 422, null), ['grants.hosts', 'grants.keys']);
    expect(set).toEqual([[{ name: ['grants', 'hosts'], errors: ['wrong /grants/hosts/0', 'wrong /grants/hosts/2'] }, { name: ['grants', 'keys'], errors: ['wrong /grants/keys'] }]]);
  });
});

describe('client', () => {
  afterEach(() => vi.unstubAllGlobals());
  const answer = (status: number, body: unknown, type = 'application/json') => new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { 'content-type': type, 'x-request-id': 'req_9' } });

  it('sends the CSRF token with unsafe methods only', async () => {
    const sent: Request[] = [];
    vi.stubGlobal('fetch', async (request: Request) => {
      sent.push(request);
      return answer(200, { items: [] });
    });
    const handle = createApi('http://acme.localhost');
    handle.csrf.token = 'tok';
    await take(handle.api.GET('/api/v1/tenants'));
    await take(handle.api.POST('/api/v1/tenants', { body: { slug: 'a', name: 'A' } as never }));
    expect(sent.map((r) => r.headers.get('x-csrf-token'))).toEqual([null, 'tok']);
  });

  it('throws the problem of a refusal', async () => {
    vi.stubGlobal('fetch', async () => answer(409, { code: 'already_exists', status: 409, request_id: 'req_4' }, 'application/problem+json'));
    await expect(take(createApi('http://x.localhost').api.GET('/api/v1/meta'))).rejects.toMatchObject({ code: 'already_exists', requestId: 'req_4', status: 409 });
  });

  it('throws a problem without a body too', async () => {
    vi.stubGlobal('fetch', async () => answer(503, undefined));
    await expect(take(createApi('http://x.localhost').api.GET('/api/v1/meta'))).rejects.toMatchObject({ code: 'unavailable', requestId: 'req_9' });
  });

  it('throws a network problem when nobody answers', async () => {
    vi.stubGlobal('fetch', async () => {
      throw new TypeError('Failed to fetch');
    });
    await expect(take(createApi('http://x.localhost').api.GET('/api/v1/meta'))).rejects.toMatchObject({ code: 'network', status: 0 });
  });
});
