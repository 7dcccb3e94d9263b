import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { activeItem, operatorNav } from '@/app/nav';
import { pairSignatures, signatureHeader, termsQuery } from '@/features/plugins/catalogue/demands';
import { figureOf, formatFigure } from '@/features/plugins/runtime/figures';
import { parseMetrics, runtimeFigures } from '@/features/plugins/runtime/metrics';
import { PublishersPage } from '@/features/plugins/runtime/publishers';
import { missingPlugins } from '@/features/plugins/runtime/readiness';
import { renderPage, type Answer } from '../harness';

afterEach(() => vi.unstubAllGlobals());

describe('the figures of the runtime', () => {
  const text = [
    '# HELP aistack_plugin_breaker_state Breakers that are not closed.',
    '# TYPE aistack_plugin_breaker_state gauge',
    'aistack_plugin_breaker_state{tenant="beta",plugin="acme.pay",operation="payments.create"} 1',
    'aistack_plugin_breaker_state{tenant="acme",plugin="a\\"b\\\\c",operation="login"} 2',
    'aistack_plugin_breaker_state{tenant="gone",plugin="x",operation="y"} 0',
    'aistack_plugin_instances 3',
    'aistack_plugin_instances_most 1000',
    'aistack_up NaN',
    '# EOF',
  ].join('\n');

  it('are read from the text, the worst breaker first', () => {
    expect(runtimeFigures(parseMetrics(text))).toEqual({
      instances: 3,
      capacity: 1000,
      components: null,
      breakers: [
        { tenant: 'acme', plugin: 'a"b\\c', operation: 'login', probing: false },
        { tenant: 'beta', plugin: 'acme.pay', operation: 'payments.create', probing: true },
      ],
    });
    expect(parseMetrics('<html>\n\nnot metrics')).toEqual([]);
  });

  it('are compared by the figure one asks for', () => {
    const c = { tenant: 'a', plugin: 'p', calls: 1200, errors: 2, cpu_us: 1500, memory: 1 << 20, bytes: 2048 };
    expect((['calls', 'errors', 'cpu', 'memory', 'bytes'] as const).map((by) => [figureOf(c, by), formatFigure(c, by)])).toEqual([[1200, '1,200'], [2, '2'], [1500, '1.5 ms'], [1 << 20, '1 MiB'], [2048, '2 KiB']]);
  });
});

describe('what must be there', () => {
  const readiness = (detail: string, ok = false) => ({ ready: ok, checks: [{ name: 'store', ok: false, detail: 'a; b' }, { name: 'plugins', ok, detail }] });
  it('is told one by one, though a sentence holds a semicolon', () => {
    const detail = 'acme.pay@^1.2 is not installed; install it: aistack plugin install FILE; acme.id is installed but can\'t be loaded; the log says why: install it again; acme.x@?: "?" is not a version requirement such as ^1.2; correct [plugins] mandatory';
    expect(missingPlugins(readiness(detail)).map((m) => [m.plugin, m.problem])).toEqual([['acme.pay@^1.2', 'not_installed'], ['acme.id', 'not_loaded'], ['', null]]);
    expect(missingPlugins(readiness('the catalogue of plugins can\'t be read'))).toEqual([{ plugin: '', problem: null, text: 'the catalogue of plugins can\'t be read' }]);
    expect(missingPlugins(readiness('every plugin that must be there is', true))).toEqual([]);
  });
});

describe('an upload', () => {
  it('says what it demands', () => {
    const hash = 'AB'.repeat(32);
    expect(termsQuery({ digest: '', allowDowngrade: false })).toBe('');
    expect(termsQuery({ digest: ` ${hash} `, allowDowngrade: true })).toBe(`?digest=${encodeURIComponent(`sha256:${hash.toLowerCase()}`)}&allow_downgrade=true`);
    expect(termsQuery({ digest: 'md5:x', allowDowngrade: false })).toBe('?digest=md5%3Ax');
  });

  it('takes the signature of the same name along, as one line', () => {
    const file = (name: string) => new File(['x'], name);
    const pairs = pairSignatures([file('b.wasm.sig'), file('a.wasm'), file('b.wasm'), file('lost.wasm.sig')]);
    expect(pairs.map((p) => [p.file.name, p.signature?.name ?? null])).toEqual([['a.wasm', null], ['b.wasm', 'b.wasm.sig']]);
    expect(signatureHeader('[\n  {"alg": "Ed25519"}\n]\n')).toBe('[{"alg":"Ed25519"}]');
    expect(signatureHeader('broken\r\nsig: é')).toBe('broken sig:');
  });
});

it('marks the page in the sidebar by the longest path above it', () => {
  const at = (path: string) => activeItem(operatorNav, path);
  expect([at('/'), at('/plugins'), at('/plugins/plv_1'), at('/plugins/health'), at('/plugins/publishers'), at('/nowhere')]).toEqual(['/', '/plugins', '/plugins', '/plugins/health', '/plugins/publishers', undefined]);
});

describe('publishers', () => {
  const key = { key_id: 'aaaa', publisher: 'acme', public_key: 'QUJD', tier: 'community', note: '', added_at: '2026-01-01T00:00:00Z', revoked_at: null };
  const revoked = { ...key, key_id: 'bbbb', revoked_at: '2026-02-01T00:00:00Z' };
  const permissions = ['platform.plugin:write'];

  it('shows what the node demands; a revoked key offers nothing more', async () => {
    renderPage(<PublishersPage />, () => ({ body: { items: [key, revoked], trust: 'development' } }), { permissions });
    expect((await screen.findByTestId('node-trust')).textContent).toContain('runs unsigned plugins');
    await waitFor(() => expect(document.querySelector('tr[data-row="bbbb"]')).toBeTruthy());
    const row = (id: string) => within(document.querySelector(`tr[data-row="${id}"]`) as HTMLElement);
    expect(row('aaaa').getByTestId('publisher-actions')).toBeTruthy();
    expect(row('bbbb').queryByTestId('publisher-actions')).toBeNull();
    expect(document.querySelector('tr[data-row="bbbb"] [data-status=revoked]')).toBeTruthy();
  });

  it('adds a key, and puts a refusal with its hint at the field', async () => {
    let good = false;
    const refusal = { status: 422, body: { status: 422, code: 'validation_failed', errors: [{ pointer: '/public_key', code: 'format', message: 'this is no Ed25519 public key', hint: 'PEM or base64' }] } };
    const answer: Answer = ({ method }) => (method === 'GET' ? { body: { items: [], trust: 'verified' } } : good ? { status: 201, body: key } : refusal);
    const asked = renderPage(<PublishersPage />, answer, { permissions });
    await userEvent.click((await screen.findAllByTestId('publisher-add'))[0]!);
    const form = await screen.findByTestId('publisher-form');
    await userEvent.type(within(form).getByLabelText('Publisher'), 'acme');
    await userEvent.type(within(form).getByLabelText('Public key'), 'QUJD');
    await userEvent.click(within(form).getByText('Verified'));
    await userEvent.click(screen.getByTestId('publisher-submit'));
    expect(await screen.findByText('PEM or base64')).toBeTruthy();
    good = true;
    await userEvent.click(screen.getByTestId('publisher-submit'));
    await waitFor(() => expect(screen.queryByTestId('publisher-form')).toBeNull());
    expect(asked.filter((a) => a.method === 'POST').at(-1)).toEqual({ method: 'POST', path: '/api/v1/publishers', body: { publisher: 'acme', public_key: 'QUJD', tier: 'verified', note: '' } });
  });

  it('revokes a key once its publisher was typed', async () => {
    const asked = renderPage(<PublishersPage />, ({ method }) => (method === 'GET' ? { body: { items: [key], trust: 'verified' } } : { status: 204, body: undefined }), { permissions });
    await userEvent.click(await screen.findByTestId('publisher-actions'));
    await userEvent.click(await screen.findByText('Revoke'));
    const confirm = (await screen.findByTestId('confirm')) as HTMLButtonElement;
    expect(confirm.disabled).toBe(true);
    await userEvent.type(screen.getByTestId('confirm-name'), 'acme');
    await userEvent.click(confirm);
    await waitFor(() => expect(asked.find((a) => a.method === 'DELETE')?.path).toBe('/api/v1/publishers/aaaa'));
  });
});
