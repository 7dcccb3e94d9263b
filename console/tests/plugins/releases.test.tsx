import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Plugin, Release } from '@/api/models';
import Releases from '@/features/plugins/releases';
import { failureRate, formatShare, percent, startBody, verbsOf, type StartValues } from '@/features/plugins/releases/figures';
import { renderPage, type Answer } from '../harness';

afterEach(() => vi.unstubAllGlobals());

const release = (more: Partial<Release> = {}): Release => ({
  id: 'rel_1', plugin_id: 'acme.pay', from: '1.0.0', to: '1.1.0', mode: 'canary', by: 'tenants', share: 50, max_error_rate: 50, min_calls: 20,
  state: 'running', reason: null, started_at: '2026-01-01T00:00:00Z', ended_at: null, diffs: 0, ...more,
});
const plugin = { id: 'plv_2', plugin_id: 'acme.pay', version: '1.1.0', quarantined: null } as Plugin;
const permissions = ['platform.plugin:write'];

describe('shares and rates', () => {
  it('are per mille for the server’s answers and percentages for its requests', () => {
    expect([50, 5, 1000, 125].map(formatShare)).toEqual(['5%', '0.5%', '100%', '12.5%']);
    expect([5, 0.5, 12.34, 100].map(percent)).toEqual(['5%', '0.5%', '12.3%', '100%']);
    expect([failureRate({ calls: 200, failed: 3 }), failureRate({ calls: 0, failed: 0 }), failureRate(undefined)]).toEqual([15, null, null]);
  });

  it('are sent only where they mean something', () => {
    const v: StartValues = { to: '1.1.0', mode: 'canary', by: 'calls', share: 5, max_error_rate: 2.5, min_calls: 50 };
    expect(startBody(v)).toEqual({ to: '1.1.0', mode: 'canary', by: 'calls', share: '5%', max_error_rate: '2.5%', min_calls: 50 });
    expect(startBody({ ...v, mode: 'shadow', from: '1.0.0' })).toEqual({ to: '1.1.0', from: '1.0.0', mode: 'shadow', max_error_rate: '2.5%', min_calls: 50 });
    expect(startBody({ ...v, mode: 'all' })).toEqual({ to: '1.1.0', mode: 'all' });
  });
});

it('offers what can still be done', () => {
  const promoted = release({ id: 'rel_0', state: 'promoted' });
  const cancelled = release({ id: 'rel_x', state: 'cancelled' });
  expect(verbsOf(release(), [release(), promoted])).toEqual(['promote', 'rollback', 'cancel']);
  expect(verbsOf(promoted, [cancelled, promoted])).toEqual(['rollback']);
  expect(verbsOf(promoted, [release(), promoted])).toEqual([]);
  expect(verbsOf(cancelled, [cancelled])).toEqual([]);
});

describe('the releases of a plugin', () => {
  it('start from the empty page with the form’s share', async () => {
    const items: Release[] = [];
    const answer: Answer = ({ method, path }) => {
      if (method === 'POST') items.push(release());
      return path.startsWith('/api/v1/plugins?') ? { body: { items: [plugin, { ...plugin, id: 'plv_1', version: '1.0.0' }] } } : { body: method === 'POST' ? items[0] : { items: [...items] }, status: method === 'POST' ? 201 : 200 };
    };
    const asked = renderPage(<Releases plugin={plugin} />, answer, { permissions });
    await userEvent.click(await screen.findByTestId('release-start'));
    await userEvent.click(within(await screen.findByTestId('release-form')).getByText('Calls', { selector: 'span' }));
    await userEvent.click(screen.getByTestId('release-submit'));
    expect(await screen.findByTestId('release-running')).toBeTruthy();
    expect(asked.find((a) => a.method === 'POST')).toEqual({ method: 'POST', path: '/api/v1/plugins/acme.pay/releases', body: { to: '1.1.0', mode: 'canary', by: 'calls', share: '5%', max_error_rate: '5%', min_calls: 20 } });
    expect(screen.queryByTestId('release-start'), 'one at a time').toBeNull();
  });

  it('show both sides, and are promoted only after a look at what that means', async () => {
    const running = release({ before: { calls: 1000, failed: 10 }, candidate: { calls: 50, failed: 5 } });
    const answer: Answer = ({ method }) => ({ body: method === 'POST' ? release({ state: 'promoted' }) : { items: [running, release({ id: 'rel_0', state: 'rolled_back', reason: '5 of 20 calls failed', ended_at: '2026-01-01T00:00:00Z' })] } });
    const asked = renderPage(<Releases plugin={plugin} />, answer, { permissions });
    const shown = await screen.findByTestId('release-running');
    expect(within(shown).getAllByRole('row').map((r) => r.textContent)).toEqual(['VersionCallsFailedFailure rate', '1.0.0 In use1,000101%', '1.1.0 Candidate50510%']);
    expect(screen.getByTestId('releases-past').textContent).toContain('5 of 20 calls failed');
    await userEvent.click(screen.getByTestId('release-promote'));
    expect((await screen.findByRole('dialog')).textContent).toContain('Those that need consent wait for it');
    await userEvent.click(screen.getByTestId('confirm'));
    await waitFor(() => expect(asked.find((a) => a.method === 'POST')?.path).toBe('/api/v1/plugins/acme.pay/releases/rel_1/promote'));
  });

  it('show what a shadow run found', async () => {
    const running = release({ mode: 'shadow', diffs: 1 });
    const found = { at: '2026-01-01T00:00:00Z', tenant: 'acme', installation: 'ins_1', operation: 'check', was: { ok: true, n: 1 }, would: { ok: false, n: 1 } };
    renderPage(<Releases plugin={plugin} />, ({ path }) => ({ body: { items: path.endsWith('/diffs') ? [found] : [running] } }), { permissions });
    await userEvent.click(await screen.findByTestId('release-diffs'));
    const drawer = await screen.findByTestId('release-diff-drawer');
    await waitFor(() => expect(within(drawer).getAllByRole('row').map((r) => r.textContent)).toEqual(['Field1.0.01.1.0', 'oktruefalse']));
  });

  it('can only be looked at without the permission', async () => {
    renderPage(<Releases plugin={plugin} />, () => ({ body: { items: [release()] } }));
    expect(await screen.findByTestId('release-running')).toBeTruthy();
    expect(screen.queryByTestId('release-promote')).toBeNull();
  });
});
