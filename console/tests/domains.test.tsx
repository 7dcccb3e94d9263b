import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DomainsPage } from '@/features/domains';
import { addressAfter } from '@/features/domains/address';
import { renderPage, type Answer } from './harness';

afterEach(() => vi.unstubAllGlobals());

const TOKEN = 'aistack-verification=0123456789abcdef';
const pending = {
  domain: 'app.acme.test', status: 'pending', primary: false, challenge: { kind: 'TXT', name: '_aistack-challenge.app.acme.test', value: TOKEN },
  target: 'cloud.example.com', last_error: null, last_error_message: null, checked_at: null, next_check_at: null, verified_at: null, works_until: null, created_at: '2026-01-01T00:00:00Z',
};
const tenant = { slug: 'acme', url: 'https://acme.cloud.example.com', updated_at: '2026-01-01T00:00:00Z' };

describe('the domains of a tenant', () => {
  it('show what to publish, and after a check why it was not found', async () => {
    let row: typeof pending | Record<string, unknown> = pending;
    const answer: Answer = ({ method, path }) => {
      if (path === '/api/v1/tenant') return { body: tenant };
      if (method === 'POST') {
        row = { ...pending, last_error: 'txt_wrong', checked_at: '2026-01-01T00:00:01Z' };
        return { status: 409, body: { status: 409, code: 'conflict', detail: 'the domain is not proven', reason: 'txt_wrong' } };
      }
      return { body: { items: [row], limit: 20 } };
    };
    const asked = renderPage(<DomainsPage />, answer, { permissions: ['tenant:read', 'tenant:write'] });
    const record = await screen.findByTestId('record-TXT');
    expect(record.textContent).toContain(TOKEN);
    expect(within(record).getByRole('button', { name: `Copy ${TOKEN}` })).toBeTruthy();
    expect(screen.getByTestId('record-CNAME').textContent).toContain('cloud.example.com');
    expect(screen.queryByTestId('domain-primary')).toBeNull();
    await userEvent.click(screen.getByTestId('domain-verify'));
    expect((await screen.findByTestId('domain-error')).textContent).toContain('with another value');
    expect(asked.filter((a) => a.method === 'POST').map((a) => a.path)).toEqual(['/api/v1/domains/app.acme.test/verify']);
  });

  it('that work are preferred by a click and removed by their name', async () => {
    let rows = [{ ...pending, status: 'verified', checked_at: '2026-01-01T00:00:01Z' }];
    const answer: Answer = ({ method, path }) => {
      if (path === '/api/v1/tenant') return { body: tenant };
      if (path.endsWith('/primary')) {
        rows = rows.map((r) => ({ ...r, primary: true }));
        return { body: rows[0] };
      }
      if (method === 'DELETE') {
        rows = [];
        return { status: 204, body: undefined };
      }
      return { body: { items: rows, limit: 20 } };
    };
    renderPage(<DomainsPage />, answer, { permissions: ['tenant:read', 'tenant:write'] });
    await userEvent.click(await screen.findByTestId('domain-primary'));
    await waitFor(() => expect(screen.queryByTestId('domain-primary')).toBeNull());
    expect(screen.queryByTestId('record-TXT')).toBeNull();
    await userEvent.click(screen.getByTestId('domain-remove'));
    expect((screen.getByTestId('confirm') as HTMLButtonElement).disabled).toBe(true);
    await userEvent.type(await screen.findByTestId('confirm-name'), 'app.acme.test');
    await userEvent.click(screen.getByTestId('confirm'));
    await waitFor(() => expect(screen.queryByTestId('domain')).toBeNull());
  });

  it('are only looked at by those who may not change them', async () => {
    const answer: Answer = ({ path }) => ({ body: path === '/api/v1/tenant' ? tenant : { items: [pending], limit: 20 } });
    renderPage(<DomainsPage />, answer, { permissions: ['tenant:read'] });
    await screen.findByTestId('domain');
    for (const id of ['domain-add', 'domain-verify', 'domain-remove', 'tenant-rename']) expect(screen.queryByTestId(id)).toBeNull();
  });
});

describe('after a rename', () => {
  const at = (url: string) => new URL(url);
  it('the same page is below the new path or at the new host', () => {
    expect(addressAfter(at('http://localhost:8080/t/acme/console/domains?x=1'), 'acme', 'acme-two')).toBe('/t/acme-two/console/domains?x=1');
    expect(addressAfter(at('http://acme.localhost:8080/console/domains'), 'acme', 'acme-two')).toBe('http://acme-two.localhost:8080/console/domains');
    expect(addressAfter(at('https://app.acme.test/console/domains'), 'acme', 'acme-two')).toBeNull();
  });
});
