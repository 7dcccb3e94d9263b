import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApi } from '@/api/client';
import type { Installation, Plugin } from '@/api/models';
import { CeilingsInTenant, OwnTerms, PlansPage, PluginBudgetSection, Trust } from '@/features/plugins/limits';
import Limits from '@/features/plugins/limits/ceiling/tab';
import { NO_TERMS } from '@/features/plugins/limits/terms/terms';
import { Cuts, CutsNotice } from '@/features/plugins/parts/cuts';
import { renderPage, type Answer, type Asked } from '../harness';

afterEach(() => vi.unstubAllGlobals());

const api = createApi('http://console.localhost').api;
const writer = ['platform.plugin:read', 'platform.plugin:write'];
const writes = (asked: Asked[]) => asked.filter((a) => a.method !== 'GET').map((a) => ({ method: a.method, path: a.path, body: a.body }));

describe('the ceiling of a plugin', () => {
  const plugin = { plugin_id: 'acme.pay', manifest: { egress: [{ kind: 'http', hosts: ['api.pay.example'] }], secret: [], report: [] }, config_schema: null } as unknown as Plugin;
  const open = { allowed: true, grants: {} };

  it('is set from what the plugin asks for; a refused host is marked at its list', async () => {
    let stored: unknown = open;
    const answer: Answer = ({ method, body }) => {
      if (method !== 'PUT') return { body: stored };
      const hosts = (body as { grants: { http_hosts: string[] } }).grants.http_hosts;
      if (hosts.includes('bad/host')) return { status: 422, body: { status: 422, code: 'validation_failed', errors: [{ pointer: '/grants/http_hosts/1', code: 'format', message: 'no host', hint: 'e.g. api.example.com' }] } };
      stored = body;
      return { body };
    };
    const asked = renderPage(<Limits plugin={plugin} />, answer, { permissions: writer });
    expect((await screen.findByTestId('ceiling')).dataset.open).toBe('true');
    await userEvent.click(screen.getByTestId('ceiling-set'));
    const form = await screen.findByTestId('ceiling-form');
    await userEvent.click(within(form).getByRole('checkbox', { name: 'Only requests to these hosts' }));
    const hosts = within(form).getByRole('combobox', { name: 'Only requests to these hosts' });
    await userEvent.type(hosts, 'bad/host{Enter}');
    await userEvent.click(screen.getByTestId('ceiling-submit'));
    expect(await within(form).findByText('e.g. api.example.com')).toBeTruthy();
    await userEvent.type(hosts, '{Backspace}');
    await userEvent.click(screen.getByTestId('ceiling-submit'));
    await waitFor(() => expect(screen.getByTestId('ceiling').textContent).toContain('api.pay.example'));
    expect(writes(asked).at(-1)).toEqual({ method: 'PUT', path: '/api/v1/plugins/acme.pay/ceiling', body: { allowed: true, grants: { http_hosts: ['api.pay.example'] } } });
  });

  it('that forbids is taken away, and put back by undo', async () => {
    let stored: unknown = { allowed: false, grants: { kv_keys: 3 } };
    const answer: Answer = ({ method, body }) => {
      if (method === 'DELETE') stored = open;
      if (method === 'PUT') stored = body;
      return method === 'DELETE' ? { status: 204, body: undefined } : { body: stored };
    };
    const asked = renderPage(<Limits plugin={plugin} />, answer, { permissions: writer });
    await waitFor(() => expect(document.querySelector('[data-status=forbidden]')).toBeTruthy());
    await userEvent.click(screen.getByTestId('ceiling-clear'));
    await waitFor(() => expect(screen.getByTestId('ceiling').dataset.open).toBe('true'));
    await userEvent.click(await screen.findByTestId('undo'));
    await waitFor(() => expect(screen.getByTestId('ceiling').dataset.open).toBe('false'));
    expect(writes(asked).map((a) => [a.method, a.body])).toEqual([['DELETE', undefined], ['PUT', { allowed: false, grants: { kv_keys: 3 } }]]);
  });

  it('can only be looked at without the permission, and no tenant is asked for', async () => {
    const asked = renderPage(<Limits plugin={plugin} />, () => ({ body: { allowed: true, grants: { interfaces: [] } } }), { permissions: ['platform.plugin:read'] });
    expect((await screen.findByTestId('ceiling')).textContent).toContain('nothing');
    expect(screen.queryByTestId('ceiling-set')).toBeNull();
    expect(screen.queryByTestId('ceiling-choose-tenant')).toBeNull();
    expect(asked.map((a) => a.path)).toEqual(['/api/v1/plugins/acme.pay/ceiling']);
  });
});

describe('the ceilings in a tenant', () => {
  const stripe = { id: 'plv_1', plugin_id: 'official.stripe', version: '1.0.0', name: 'Stripe', manifest: {}, config_schema: null };
  const catalogue = { items: [stripe, { ...stripe, id: 'plv_2', plugin_id: 'official.oauth', name: 'OpenID Connect' }] };
  const answer = (enabled: string[]): Answer => ({ path }) => ({ body: path.endsWith('/ceiling') ? { allowed: true, grants: {} } : path.startsWith('/api/v1/plugins') ? catalogue : { items: enabled.map((plugin_id) => ({ plugin_id })) } });

  it('are listed for what is enabled there; another plugin can be chosen', async () => {
    renderPage(<CeilingsInTenant api={api} tenant={{ slug: 'beta' }} />, answer(['official.stripe']), { permissions: [...writer, 'plugin:read'] });
    await screen.findByTestId('ceiling-tenant');
    await userEvent.click(screen.getByRole('combobox'));
    await userEvent.click(await screen.findByText('OpenID Connect (official.oauth)'));
    await waitFor(() => expect(screen.getAllByTestId('ceiling-tenant')).toHaveLength(2));
  });

  it('say that nothing is enabled only to those who see that', async () => {
    const asked = renderPage(<CeilingsInTenant api={api} tenant={{ slug: 'beta' }} />, answer([]), { permissions: ['platform.plugin:read'] });
    await screen.findByRole('combobox', { name: 'Choose a plugin' });
    expect(screen.queryByTestId('empty-state')).toBeNull();
    expect(asked.map((a) => a.path.split('?')[0])).toEqual(['/api/v1/plugins']);
  });
});

describe('terms', () => {
  const free = { ...NO_TERMS, calls_per_second: 1000, kinds: ['report'] };

  it('of the plans stand side by side and are changed one by one', async () => {
    const answer: Answer = ({ method, path, body }) => ({ body: method === 'PUT' ? body : path.includes('/free/') ? free : NO_TERMS });
    const asked = renderPage(<PlansPage />, answer, { permissions: writer });
    const table = await screen.findByTestId('plan-terms');
    const cell = (term: string, plan: string) => table.querySelector(`[data-term=${term}] [data-plan=${plan}]`)?.textContent;
    expect([cell('calls_per_second', 'free'), cell('calls_per_second', 'enterprise'), cell('kinds', 'free'), cell('kinds', 'basic')]).toEqual(['1,000', 'Not bounded', 'Report', 'All']);
    await userEvent.click(screen.getByTestId('plan-edit-free'));
    const form = await screen.findByTestId('terms-form');
    await userEvent.clear(within(form).getByLabelText('Calls per second'));
    await userEvent.type(within(form).getByLabelText('Computing per minute'), '1.5');
    await userEvent.type(within(form).getByLabelText('Memory per call'), '32');
    await userEvent.click(screen.getByTestId('terms-submit'));
    await waitFor(() => expect(screen.queryByTestId('terms-form')).toBeNull());
    expect(writes(asked)).toEqual([{ method: 'PUT', path: '/api/v1/plans/free/plugin-terms', body: { ...NO_TERMS, kinds: ['report'], cpu_ms_per_minute: 1500, memory_bytes: 32 << 20 } }]);
  });

  it('of a tenant show whose they are, and go away again', async () => {
    let own = { ...NO_TERMS, calls_per_second: 7 };
    const answer: Answer = ({ method, path }) => {
      if (method === 'DELETE') own = NO_TERMS as never;
      return method === 'DELETE' ? { status: 204, body: undefined } : { body: path.includes('/plans/') ? free : own };
    };
    const asked = renderPage(<OwnTerms api={api} tenant={{ slug: 'beta', plan: 'free' }} />, answer, { permissions: writer });
    const row = async (term: string) => (await screen.findByTestId('tenant-terms')).querySelector(`[data-term=${term}]`) as HTMLElement;
    expect((await row('calls_per_second')).textContent).toBe('Calls per second7 Own');
    expect((await row('kinds')).dataset.own).toBe('false');
    await userEvent.click(screen.getByTestId('terms-clear'));
    await waitFor(async () => expect((await row('calls_per_second')).textContent).toContain('1,000'));
    expect(screen.queryByTestId('terms-clear'), 'nothing is left to take away').toBeNull();
    expect(writes(asked)).toEqual([{ method: 'DELETE', path: '/api/v1/tenants/beta/plugin-terms', body: undefined }]);
  });
});

describe('the signatures a tenant demands', () => {
  const answer = (stored: { min_tier: string }): Answer => ({ method, path, body }) => {
    if (method === 'PUT') Object.assign(stored, body);
    if (path.endsWith('/plugin-trust')) return { body: { ...stored } };
    if (path.endsWith('/publishers')) return { body: { items: [], trust: 'community' } };
    return { body: { items: path.startsWith('/api/v1/plugins') ? [{ digest: 'd', tier: 'community' }] : [{ name: 'Cards', digest: 'd' }] } };
  };

  it('are changed at once; what is enabled below them is named', async () => {
    const asked = renderPage(<Trust api={api} tenant={{ slug: 'beta' }} />, answer({ min_tier: 'development' }), { permissions: [...writer, 'plugin:read'] });
    await userEvent.click(await screen.findByText('A verified publisher'));
    expect((await screen.findByTestId('trust-below')).textContent).toContain('Cards (Community)');
    await userEvent.click(await screen.findByTestId('undo'));
    await waitFor(() => expect(screen.getByTestId('tenant-trust').dataset.tier).toBe('development'));
    expect(writes(asked).map((a) => [a.path, a.body])).toEqual(['verified', 'development'].map((min_tier) => ['/api/v1/tenants/beta/plugin-trust', { min_tier }]));
  });

  it('are only told to who may not change them', async () => {
    renderPage(<Trust api={api} tenant={{ slug: 'beta' }} />, answer({ min_tier: 'core' }), { permissions: ['platform.plugin:read'] });
    expect((await screen.findByTestId('tenant-trust')).textContent).toContain('A core publisher');
    expect(screen.queryByRole('radio')).toBeNull();
  });
});

describe('the budget', () => {
  const terms = { ...NO_TERMS, calls_per_second: 50, cpu_ms_per_minute: 1000, egress_bytes_per_day: 1 << 20 };

  it('shows what was used of what may be, and what happens when it is used up', async () => {
    renderPage(<PluginBudgetSection />, () => ({ body: { terms, cpu_ms: 250, egress_bytes: 1 << 20 } }), { realm: 'tenant', permissions: ['plugin:read'] });
    const cpu = await screen.findByTestId('budget-cpu_ms_per_minute');
    expect(cpu.textContent).toContain('250 ms / 1 s');
    expect(within(cpu).getByRole('meter').getAttribute('aria-valuenow')).toBe('250');
    expect(screen.getByTestId('budget-egress_bytes_per_day').textContent).toContain('calls are refused until midnight UTC');
    expect(screen.getByTestId('budget-calls_per_second').textContent).toBe('50');
    expect(screen.queryByTestId('budget-memory_bytes'), 'what is not bounded is left out').toBeNull();
  });

  it('is not asked for by those who may not see it', async () => {
    const asked = renderPage(<><PluginBudgetSection /><i data-testid="there" /></>, () => ({ body: {} }), { realm: 'tenant' });
    expect(await screen.findByTestId('there')).toBeTruthy();
    expect(asked).toEqual([]);
  });
});

describe('what was cut', () => {
  const made = (cuts: Installation['cuts']) => ({ id: 'ins_1', name: 'Cards', cuts, grants: { private_hosts: ['10.0.0.5:80'] } }) as unknown as Installation;
  const own = { by: 'tenant', kind: 'http_hosts', what: 'api.pay.example:443' };
  const imposed = { by: 'operator', kind: 'interfaces', what: 'kv' };

  it('is announced only when somebody else cut it', async () => {
    renderPage(<><CutsNotice installation={made([own])} onShow={() => {}} /><CutsNotice installation={made([own, imposed])} onShow={() => {}} /></>, () => ({ body: {} }));
    expect((await screen.findAllByTestId('installation-cut')).map((n) => n.textContent)).toEqual([expect.stringContaining('1 right was taken away')]);
  });

  it('says what to do; a tenant gives back what it left out itself', async () => {
    const asked = renderPage(<Cuts installation={made([own, imposed])} />, () => ({ body: {} }), { realm: 'tenant', permissions: ['plugin:write'] });
    const group = (by: string) => screen.getByTestId('cuts').querySelector(`[data-by=${by}]`) as HTMLElement;
    await screen.findByTestId('cuts');
    expect(group('operator').textContent).toContain('Ask the operator of this platform');
    expect(within(group('operator')).queryByRole('button')).toBeNull();
    await userEvent.click(screen.getByTestId('cuts-give'));
    expect((await screen.findByRole('dialog')).textContent).toContain('Send requests to api.pay.example:443');
    await userEvent.click(screen.getByTestId('confirm'));
    await waitFor(() => expect(writes(asked)).toEqual([{ method: 'PATCH', path: '/api/v1/installations/ins_1', body: { grants: {} } }]));
  });

  it('is given back by an operator with the inside hosts as they are, and leads to the limits', async () => {
    const asked = renderPage(<Cuts installation={made([own, imposed])} />, () => ({ body: {} }), { permissions: ['plugin:write', ...writer] });
    expect((await screen.findByRole('link', { name: 'Plugin limits' })).getAttribute('href')).toBe('/limits');
    await userEvent.click(screen.getByTestId('cuts-give'));
    await userEvent.click(await screen.findByTestId('confirm'));
    await waitFor(() => expect(writes(asked)[0]?.body).toEqual({ grants: { private_hosts: ['10.0.0.5:80'] } }));
  });

  it('offers no button that would be refused', async () => {
    renderPage(<Cuts installation={made([own])} />, () => ({ body: {} }), { realm: 'tenant', permissions: ['plugin:read'] });
    expect((await screen.findByTestId('cuts')).textContent).toContain('An owner or admin can give it');
    expect(screen.queryByTestId('cuts-give')).toBeNull();
  });
});
