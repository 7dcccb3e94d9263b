// A member signs in and uses the product, the owner pays and reads what happened.
import { readFileSync } from 'node:fs';
import type { Cast } from '../people.ts';
import { dialog, field, LIMIT, WEBHOOK_SECRET } from '../people.ts';
import { shoot, shootOnce } from '../screens.ts';
import { deliverWebhook, expect, test } from '../stage.ts';

const AMOUNT = 19_900;

export function using(cast: Cast): void {
  test('a member signs in with the company account', async ({ stage }) => {
    const { member } = cast;
    await member.goto(`${stage.tenant}console/login?error=login_refused&reason=user_disabled`);
    await expect(member.getByTestId('error-state')).toContainText('The sign-in was refused');
    await expect(member.getByTestId('error-state')).toContainText('the account is disabled');
    await shoot(member, '24-login');
    await member.goto(`${stage.tenant}console/usage`);
    await member.locator('[data-connection="OpenID Connect"]').click();
    await expect(member).toHaveURL((url) => url.href.startsWith(stage.oidc.issuer));
    await member.locator('#username').fill(stage.member.username);
    await member.locator('#password').fill(stage.member.password);
    await member.locator('#kc-login').click();
    await expect(member.getByTestId('account')).toContainText('Alice');
    await expect(member, 'back to where the sign-in was asked for').toHaveURL(`${stage.tenant}console/usage`);
    await member.goto(`${stage.tenant}console/`);
    await shoot(member, '25-home-of-a-member');
    await expect(member.getByRole('link', { name: 'Audit' }), 'what a member may not see is not offered').toHaveCount(0);
    await member.goto(`${stage.tenant}console/audit`);
    await expect(member.getByTestId('error-state')).toContainText('You may not do this');
    await shoot(member, '26-forbidden');
  });

  test('the member uses the product until the quota is used up', async ({ stage }) => {
    const { owner, member } = cast;
    const call = (n: number) =>
      member.evaluate(async (path) => {
        const answer = await fetch(path);
        return { status: answer.status, type: answer.headers.get('content-type'), limit: answer.headers.get('ratelimit'), body: (await answer.json()) as Record<string, unknown> };
      }, `/v1/hello?call=${n}`);
    for (let n = 1; n <= LIMIT; n += 1) expect(await call(n)).toMatchObject({ status: 200, body: { path: '/v1/hello' } });
    const refused = await call(LIMIT + 1);
    expect(refused).toMatchObject({ status: 429, body: { code: 'quota_exceeded', meter: 'api.calls' } });
    expect(refused.type).toContain('application/problem+json');
    expect(refused.limit).toContain('r=0');

    await owner.goto(`${stage.tenant}console/usage`);
    await expect(owner.getByTestId('usage-total')).toContainText(String(LIMIT));
    await expect(owner.getByTestId('quota-api.calls')).toContainText(`${LIMIT} / ${LIMIT}`);
    await shoot(owner, '27-usage');
    await owner.goto(`${stage.tenant}console/members`);
    await expect(owner.getByRole('cell', { name: stage.member.email }).first()).toBeVisible();
    await shoot(owner, '28-members');
  });

  test('the owner pays an order', async ({ stage }) => {
    const { owner } = cast;
    await owner.goto(`${stage.tenant}console/orders`);
    await owner.getByTestId('order-create').first().click();
    await owner.locator('#amount').fill('199.00');
    await owner.locator('#description').fill('Professional, one month');
    await expect(owner.getByTestId('order-provider')).toContainText('Stripe');
    await shootOnce(owner, '29-order-form-en');
    await owner.getByTestId('order-submit').click();
    await expect(owner).toHaveURL(/\/orders\/ord_/);
    const id = new URL(owner.url()).pathname.split('/').at(-1) ?? '';

    // The page leads to Stripe's own, which is not on this machine: what counts is that it wants to go there.
    await owner.route(/stripe\.com/, (route) => route.fulfill({ contentType: 'text/html', body: 'the page of Stripe' }));
    await owner.getByTestId('order-pay').click();
    await expect(owner).toHaveURL((url) => url.hostname.endsWith('stripe.com'));

    await owner.goto(`${stage.tenant}console/orders/${id}`);
    await expect(owner.locator('[data-status=pending]').first()).toBeVisible();
    await expect(owner.getByTestId('payment-continue')).toBeVisible();
    await shoot(owner, '30-order-pending');
    const { order, webhook } = await owner.evaluate(async (orderId) => {
      const read = async (path: string) => (await fetch(path)).json();
      const installations = (await read('/api/v1/installations')) as { items: { kind: string; endpoints: { url: string }[] }[] };
      return {
        order: (await read(`/api/v1/orders/${orderId}`)) as { id: string; provider_ref: string },
        webhook: installations.items.find((item) => item.kind === 'payment')?.endpoints[0]?.url ?? '',
      };
    }, id);
    const session = {
      id: order.provider_ref,
      object: 'checkout.session',
      client_reference_id: order.id,
      metadata: { order_id: order.id },
      mode: 'payment',
      status: 'complete',
      payment_status: 'paid',
      amount_total: AMOUNT,
      currency: 'usd',
      livemode: false,
    };
    const event = { id: 'evt_console', object: 'event', created: Math.floor(Date.now() / 1000), livemode: false, type: 'checkout.session.completed', data: { object: session } };
    expect(await deliverWebhook(webhook, event, 'whsec_forged')).toBe(400);
    await expect(owner.locator('[data-status=pending]').first()).toBeVisible();
    expect(await deliverWebhook(webhook, event, WEBHOOK_SECRET)).toBe(200);
    // Nobody reloads: the page hears of it.
    await expect(owner.locator('[data-status=paid]').first()).toBeVisible({ timeout: 20_000 });
    await shoot(owner, '31-order-paid');
    await owner.goto(`${stage.tenant}console/orders`);
    await shoot(owner, '32-orders');
  });

  test('the owner runs the report and downloads it', async ({ stage }) => {
    const { owner } = cast;
    await owner.goto(`${stage.tenant}console/reports`);
    for (const format of ['csv', 'xlsx']) {
      await owner.getByTestId('report-run').first().click();
      const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
      await dialog(owner).getByText(format.toUpperCase(), { exact: true }).click();
      await field(owner, 'from').fill(day(-1));
      await field(owner, 'to').fill(day(2));
      if (format === 'csv') await shootOnce(owner, '33-report-form-en');
      await owner.getByTestId('report-submit').click();
      const link = owner.getByTestId(`report-download-${format}`).first();
      await expect(link).toBeVisible({ timeout: 60_000 });
      const coming = owner.waitForEvent('download');
      await link.click();
      const download = await coming;
      expect(download.suggestedFilename()).toMatch(new RegExp(`\\.${format}$`));
      const bytes = readFileSync(await download.path());
      if (format === 'csv') expect(bytes.toString('utf8').split('\n').find((line) => line.includes('api.calls'))).toMatch(new RegExp(`\\b${LIMIT}\\b`));
      else expect(bytes.subarray(0, 4).toString('latin1'), 'a ZIP archive').toBe('PK\x03\x04');
    }
    await shoot(owner, '34-reports');
  });

  test('everything is in the audit logs, which prove to be whole', async ({ stage }) => {
    const { operator, owner } = cast;
    await owner.goto(`${stage.tenant}console/audit`);
    const told = ['tenant.created', 'user.created', 'installation.enabled', 'quota.limit_set', 'user.provisioned', 'session.opened', 'session.refused', 'order.created', 'order.pending', 'order.paid', 'report.requested'];
    for (const action of told) await expect(owner.getByRole('cell').getByText(action, { exact: true }).first(), action).toBeVisible();
    const verify = async () => {
      await owner.getByTestId('audit-verify').click();
      await expect(owner.getByTestId('audit-verify-result')).toHaveClass(/success/);
    };
    await shoot(owner, '35-audit', { again: verify });
    const open = () => owner.getByRole('cell').getByText('order.paid', { exact: true }).first().click();
    await shoot(owner, '36-audit-event', { again: open });
    await owner.goto(`${stage.tenant}console/audit?action=order.paid`);
    await expect(owner.locator('tr[data-row]')).toHaveCount(1);

    await operator.goto(`${stage.base}console/audit`);
    for (const action of ['operator.created', 'plugin.installed', 'route.created']) await expect(operator.getByRole('cell').getByText(action, { exact: true }).first(), action).toBeVisible();
    await operator.getByTestId('audit-verify').click();
    await expect(operator.getByTestId('audit-verify-result')).toHaveClass(/success/);
    await shoot(operator, '37-platform-audit');
  });
}
