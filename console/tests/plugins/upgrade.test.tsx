import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Installation, Plugin } from '@/api/models';
import { Notices } from '@/features/plugins/upgrade/notices';
import { VersionTab } from '@/features/plugins/upgrade/version-tab';
import { renderPage, type Answer } from '../harness';

afterEach(() => vi.unstubAllGlobals());

const plugin = (version: string, more: Partial<Plugin> = {}) =>
  ({ id: `plv_${version}`, plugin_id: 'acme.pay', version, digest: `sha256:${version}`, tier: 'verified', quarantined: null, installed_at: '2026-01-01T00:00:00Z', manifest: {}, config_schema: {}, ...more }) as Plugin;
const installation = (more: Partial<Installation> = {}) =>
  ({ id: 'ins_1', plugin_id: 'acme.pay', version: '1.0.0', digest: 'sha256:1.0.0', generation: 4, pinned: false, config: { region: 'eu' }, secrets: [], status: 'active', ...more }) as unknown as Installation;
const permissions = ['plugin:write'];
const consent = { status: 409, body: { status: 409, code: 'conflict', reason: 'consent_needed', added_digest: 'digest-1', added: { http_hosts: ['https://new.example:443'] } } };

describe('changing the version', () => {
  it('shows what it asks for more, and repeats the change with exactly that consent', async () => {
    const answer: Answer = ({ body }) => ((body as { consent?: string }).consent === 'digest-1' ? { body: installation({ version: '1.1.0' }) } : consent);
    const asked = renderPage(<VersionTab installation={installation()} versions={[plugin('1.1.0'), plugin('1.0.0')]} />, answer, { permissions });
    await userEvent.click(await screen.findByTestId('version-to-1.1.0'));
    expect((await screen.findByTestId('added')).textContent).toContain('Send requests to https://new.example:443');
    await userEvent.click(screen.getByTestId('consent-agree'));
    await waitFor(() => expect(screen.queryByTestId('added')).toBeNull());
    expect(asked.map((a) => a.body)).toEqual([{ version: '1.1.0' }, { version: '1.1.0', consent: 'digest-1' }]);
    expect(asked.every((a) => a.method === 'PATCH' && a.path === '/api/v1/installations/ins_1')).toBe(true);
  });

  it('can be left for later, or left waiting', async () => {
    const answer: Answer = ({ body }) => ((body as { when_consented?: boolean }).when_consented ? { body: installation() } : consent);
    const asked = renderPage(<VersionTab installation={installation()} versions={[plugin('1.1.0'), plugin('1.0.0')]} />, answer, { permissions });
    await userEvent.click(await screen.findByTestId('version-to-1.1.0'));
    await userEvent.click(await screen.findByTestId('consent-later'));
    await waitFor(() => expect(screen.queryByTestId('added')).toBeNull());
    expect(asked).toHaveLength(1);
    await userEvent.click(screen.getByTestId('version-to-1.1.0'));
    await userEvent.click(await screen.findByTestId('consent-wait'));
    await waitFor(() => expect(asked.at(-1)?.body).toEqual({ version: '1.1.0', when_consented: true }));
  });

  it('asks for the settings that the new version could not make, and sends them along', async () => {
    const next = plugin('2.0.0', { config_schema: { type: 'object', required: ['zone'], properties: { region: { type: 'string', title: 'Region' }, zone: { type: 'string', title: 'Zone' } } } as never });
    const refusal = { status: 422, body: { status: 422, code: 'plugin_config_invalid', reason: 'migrate_lost_config', errors: [{ pointer: '/config/zone', code: 'required', message: 'zone is required', hint: 'eu-1 or eu-2' }] } };
    const answer: Answer = ({ body }) => ((body as { config?: unknown }).config ? { body: installation({ version: '2.0.0' }) } : refusal);
    const asked = renderPage(<VersionTab installation={installation()} versions={[next, plugin('1.0.0')]} />, answer, { permissions });
    await userEvent.click(await screen.findByTestId('version-to-2.0.0'));
    const field = await screen.findByTestId('field-zone');
    expect(within(field).getByRole('alert').textContent).toContain('eu-1 or eu-2');
    await userEvent.type(within(field).getByRole('textbox'), 'eu-1');
    await userEvent.click(screen.getByTestId('new-settings-save'));
    await waitFor(() => expect(asked.at(-1)?.body).toEqual({ version: '2.0.0', config: { region: 'eu', zone: 'eu-1' } }));
  });

  it('names what it goes back to before it does', async () => {
    const asked = renderPage(<VersionTab installation={installation({ version: '1.1.0', digest: 'sha256:1.1.0', previous_version: '1.0.0' })} versions={[plugin('1.1.0'), plugin('1.0.0')]} />, () => ({ body: installation() }), { permissions });
    await userEvent.click(await screen.findByTestId('version-back'));
    expect((await screen.findByRole('dialog')).textContent).toContain('Version 1.0.0 takes over at once');
    expect(asked).toEqual([]);
    await userEvent.click(screen.getByTestId('confirm'));
    await waitFor(() => expect(asked).toEqual([{ method: 'POST', path: '/api/v1/installations/ins_1/rollback', body: undefined }]));
  });

  it('is pinned with a switch', async () => {
    const asked = renderPage(<VersionTab installation={installation()} versions={[plugin('1.0.0')]} />, () => ({ body: installation({ pinned: true }) }), { permissions });
    await userEvent.click(await screen.findByTestId('version-pin'));
    await waitFor(() => expect(asked.map((a) => a.body)).toEqual([{ pinned: true }]));
  });

  it('does not lead to a version that is out of service', async () => {
    renderPage(<VersionTab installation={installation()} versions={[plugin('1.1.0', { quarantined: 'it crashes' }), plugin('1.0.0')]} />, () => ({ body: {} }), { permissions });
    expect(((await screen.findByTestId('version-to-1.1.0')) as HTMLButtonElement).disabled).toBe(true);
    expect(screen.getByTestId('versions').textContent).toContain('it crashes');
  });

  it('offers nothing to who may only look', async () => {
    renderPage(<VersionTab installation={installation({ previous_version: '0.9.0' })} versions={[plugin('1.1.0'), plugin('1.0.0'), plugin('0.9.0')]} />, () => ({ body: {} }));
    expect(await screen.findByTestId('versions')).toBeTruthy();
    expect(screen.queryByTestId('version-to-1.1.0')).toBeNull();
    expect(screen.queryByTestId('version-back')).toBeNull();
    expect((screen.getByTestId('version-pin') as HTMLButtonElement).disabled).toBe(true);
  });
});

describe('what waits for a decision', () => {
  it('is agreed to by the list that was shown', async () => {
    const pending = { version: '1.1.0', added: { jobs: ['poll'] }, added_digest: 'digest-2', since: '2026-01-01T00:00:00Z' };
    const asked = renderPage(<Notices installation={installation({ pending })} versions={[plugin('1.0.0')]} onVersions={() => undefined} />, () => ({ body: installation({ version: '1.1.0' }) }), { permissions });
    expect((await screen.findByTestId('installation-pending')).textContent).toContain('Version 1.1.0 waits for your consent');
    await userEvent.click(screen.getByTestId('pending-review'));
    expect((await screen.findByTestId('added')).textContent).toContain('Run “poll” in the background');
    await userEvent.click(screen.getByTestId('consent-agree'));
    await waitFor(() => expect(asked).toEqual([{ method: 'POST', path: '/api/v1/installations/ins_1/consent', body: { added_digest: 'digest-2' } }]));
  });

  it('says why agreeing did not work', async () => {
    const pending = { version: '1.1.0', added: { jobs: ['poll'] }, added_digest: 'digest-2', since: '2026-01-01T00:00:00Z' };
    renderPage(<Notices installation={installation({ pending })} versions={[]} onVersions={() => undefined} />, () => ({ status: 409, body: { status: 409, code: 'conflict', reason: 'nothing_pending' } }), { permissions });
    await userEvent.click(await screen.findByTestId('pending-review'));
    await userEvent.click(screen.getByTestId('consent-agree'));
    expect((await screen.findByTestId('error-state')).textContent).toContain('somebody else has decided already');
  });

  it('shows a version out of service with its reason and the way out', async () => {
    const onVersions = vi.fn();
    const held = plugin('1.0.0', { quarantined: 'it crashed 20 times' });
    renderPage(<Notices installation={installation()} versions={[plugin('1.1.0'), held]} onVersions={onVersions} />, () => ({ body: {} }), { permissions });
    const notice = await screen.findByTestId('installation-held');
    expect(notice.textContent).toContain('it crashed 20 times');
    expect(notice.textContent).toContain('Changing to 1.1.0');
    await userEvent.click(screen.getByTestId('held-way-out'));
    expect(onVersions).toHaveBeenCalled();
  });
});
