// The story of the platform as people see it in the console: the operator sets it up, the owner connects sign-in, payment
// and reports, a member signs in and calls the product, the owner pays and reads what happened.
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from '@playwright/test';
import { shoot } from '../screens.ts';
import { deliverWebhook, expect, test, type Stage } from '../stage.ts';

const OPERATOR = { name: 'Olive Operator', email: 'operator@example.test', password: "the operator's long password" };
const OWNER = { name: 'Olga Owner', email: 'olga@acme.test', password: "the owner's long password" };
const WEBHOOK_SECRET = 'whsec_for_the_console';
const LIMIT = 3;

test.describe.configure({ mode: 'serial' });

let operator: Page;
let owner: Page;
let member: Page;
const contexts: BrowserContext[] = [];
/** What went wrong inside the pages: exceptions, and errors on the console that are not refused requests. */
const faults: string[] = [];

async function person(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', acceptDownloads: true });
  contexts.push(context);
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      faults.push(`${page.url()}: ${message.text()}`);
    }
  });
  return page;
}

test.beforeAll(async ({ browser }) => {
  [operator, owner, member] = [await person(browser), await person(browser), await person(browser)];
});

test.afterAll(async () => {
  for (const context of contexts) await context.close();
});

test.afterEach(() => {
  expect(faults.splice(0), 'errors inside the pages').toEqual([]);
});

async function choose(page: Page, field: string, option: string): Promise<void> {
  await page.locator(field).click();
  await page.locator('.ant-select-item-option').filter({ hasText: option }).first().click();
}

async function fillField(page: Page, key: string, value: string): Promise<void> {
  await page.getByTestId(`field-${key}`).locator('input, textarea').first().fill(value);
}

test('the set-up link makes the first operator', async ({ stage }) => {
  await operator.goto(stage.setup_url);
  await expect(operator.getByTestId('setup-form')).toBeVisible();
  await shoot(operator, '01-setup');
  await operator.locator('#name').fill(OPERATOR.name);
  await operator.locator('#email').fill(OPERATOR.email);
  await operator.locator('#password').fill('too short');
  await operator.getByTestId('setup-submit').click();
  await expect(operator.locator('.ant-form-item-explain-error')).toBeVisible();
  await operator.locator('#password').fill(OPERATOR.password);
  await operator.getByTestId('setup-submit').click();
  await expect(operator.getByTestId('account')).toBeVisible();
  await shoot(operator, '02-overview');
});

test('the operator creates a tenant with its owner', async ({ stage }) => {
  await operator.goto(`${stage.base}console/tenants`);
  await operator.getByTestId('tenant-create').first().click();
  const form = operator.getByTestId('tenant-form');
  await form.locator('#name').fill('Acme');
  await expect(form.locator('#slug')).toHaveValue('acme');
  await form.locator('#owner_name').fill(OWNER.name);
  await form.locator('#owner_email').fill(OWNER.email);
  await form.locator('#owner_password').fill(OWNER.password);
  await operator.getByTestId('tenant-submit').click();
  await expect(operator).toHaveURL(/\/tenants\/acme/);
  await shoot(operator, '03-tenant');
  await operator.goto(`${stage.base}console/tenants`);
  await expect(operator.getByRole('cell', { name: /acme/i }).first()).toBeVisible();
  await shoot(operator, '04-tenants');
});

test('the operator installs plugins while the host runs, and a broken file is refused', async ({ stage }) => {
  await operator.goto(`${stage.base}console/plugins`);
  await operator.getByTestId('plugin-upload').first().click();
  await operator.getByTestId('plugin-file').setInputFiles({ name: 'broken.wasm', mimeType: 'application/wasm', buffer: Buffer.from('no component') });
  await expect(operator.locator('[data-testid=upload-item][data-state=refused]')).toHaveCount(1);
  const files = ['identity-oauth', 'payment-stripe', 'report-usage'].map((name) => join(stage.plugins, `${name}.wasm`));
  await operator.getByTestId('plugin-file').setInputFiles(files);
  await expect(operator.locator('[data-testid=upload-item][data-state=done]')).toHaveCount(3, { timeout: 90_000 });
  await shoot(operator, '05-plugins');
});

test('the owner signs in and enables the three plugins', async ({ stage }) => {
  await owner.goto(`${stage.tenant}console/`);
  await expect(owner.getByTestId('login-form')).toBeVisible();
  await owner.locator('#email').fill(OWNER.email);
  await owner.locator('#password').fill('not the password');
  await owner.getByTestId('login-submit').click();
  await expect(owner.getByTestId('error-state')).toBeVisible();
  await owner.locator('#password').fill(OWNER.password);
  await owner.getByTestId('login-submit').click();
  await expect(owner.getByTestId('account')).toBeVisible();

  await enable(stage, 'official.oauth', async () => {
    await fillField(owner, 'issuer', stage.oidc.issuer);
    await fillField(owner, 'client_id', stage.oidc.client_id);
    await fillField(owner, 'client_secret', stage.oidc.client_secret);
  });
  await enable(stage, 'official.stripe', async () => {
    await fillField(owner, 'api_base', stage.stripe);
    await fillField(owner, 'api_key', 'sk_test_for_stripe_mock');
    await fillField(owner, 'webhook_secret', WEBHOOK_SECRET);
  });
  await enable(stage, 'official.usage-report', async () => undefined);
  await owner.goto(`${stage.tenant}console/plugins`);
  await shoot(owner, '07-enabled');
});

async function enable(stage: Stage, plugin: string, fill: () => Promise<void>): Promise<void> {
  await owner.goto(`${stage.tenant}console/plugins/enable`);
  await owner.getByTestId(`choose-${plugin}`).click();
  await expect(owner.getByTestId('capabilities')).toBeVisible();
  await owner.getByTestId('grant-consent').click();
  await owner.getByTestId('grant-continue').click();
  await fill();
  if (plugin === 'official.oauth') await owner.screenshot({ path: 'results/screenshots/06-config-form-en.png' });
  await owner.getByTestId('enable-submit').click();
  await expect(owner.getByTestId('enable-done')).toBeVisible();
}

test('the operator routes the product and sets a quota', async ({ stage }) => {
  await operator.goto(`${stage.base}console/routes`);
  await operator.getByTestId('route-create').first().click();
  await operator.locator('#upstream').fill(stage.upstream);
  await operator.getByTestId('route-submit').click();
  await expect(operator.getByText(stage.upstream).first()).toBeVisible();
  await shoot(operator, '08-routes');
  await operator.goto(`${stage.base}console/tenants/acme/quotas`);
  await operator.getByTestId('quota-edit-api.calls').click();
  const unlimited = operator.getByRole('dialog').getByRole('checkbox');
  if (await unlimited.isChecked()) await unlimited.uncheck();
  await operator.getByTestId('quota-limit').fill(String(LIMIT));
  await operator.getByTestId('quota-save').click();
  await expect(operator.getByRole('dialog')).toBeHidden();
});

test('a member signs in with the company account and uses the product until the quota', async ({ stage }) => {
  await member.goto(`${stage.tenant}console/login`);
  await shoot(member, '09-login');
  await member.locator('[data-testid^=login-with-]').first().click();
  await member.locator('#username').fill(stage.member.username);
  await member.locator('#password').fill(stage.member.password);
  await member.locator('#kc-login').click();
  await expect(member.getByTestId('account')).toBeVisible();
  expect(member.url()).toContain(stage.tenant);

  for (let call = 1; call <= LIMIT; call += 1) {
    const answer = await member.goto(`${stage.tenant}v1/hello?call=${call}`);
    expect(answer?.status()).toBe(200);
    expect(await answer?.json()).toMatchObject({ path: '/v1/hello' });
  }
  const refused = await member.goto(`${stage.tenant}v1/hello`);
  expect(refused?.status()).toBe(429);
  expect(refused?.headers()['content-type']).toContain('application/problem+json');

  await owner.goto(`${stage.tenant}console/usage`);
  await expect(owner.getByTestId('quota-api.calls')).toBeVisible();
  await shoot(owner, '10-usage');
});

test('the owner pays an order', async ({ stage }) => {
  await owner.goto(`${stage.tenant}console/orders`);
  await owner.getByTestId('order-create').first().click();
  await owner.locator('#amount').fill('199.00');
  await owner.locator('#description').fill('Professional, one month');
  await expect(owner.getByTestId('order-provider')).toContainText('Stripe');
  await owner.getByTestId('order-submit').click();
  await expect(owner).toHaveURL(/\/orders\/ord_/);
  const id = owner.url().split('/').at(-1)?.split('?')[0] ?? '';

  // The page leads to Stripe's own, which is not on this machine: what counts is that it wants to go there.
  const wanted = owner.waitForRequest((request) => request.isNavigationRequest() && new URL(request.url()).hostname.endsWith('stripe.com'));
  await owner.route(/stripe\.com/, (route) => route.fulfill({ contentType: 'text/html', body: 'the page of Stripe' }));
  await owner.getByTestId('order-pay').click();
  await wanted;

  await owner.goto(`${stage.tenant}console/orders/${id}`);
  await expect(owner.getByTestId('order-state')).toBeVisible();
  await shoot(owner, '11-order-pending');
  const { order, webhook } = await owner.evaluate(async (orderId) => {
    const read = async (path: string) => (await fetch(path)).json();
    const installations = (await read('/api/v1/installations')) as { items: { kind: string; endpoints: { url: string }[] }[] };
    return {
      order: (await read(`/api/v1/orders/${orderId}`)) as { id: string; provider_ref: string },
      webhook: installations.items.find((item) => item.kind === 'payment')?.endpoints[0]?.url ?? '',
    };
  }, id);
  const event = {
    id: 'evt_console',
    object: 'event',
    created: Math.floor(Date.now() / 1000),
    livemode: false,
    type: 'checkout.session.completed',
    data: {
      object: {
        id: order.provider_ref,
        object: 'checkout.session',
        client_reference_id: order.id,
        metadata: { order_id: order.id },
        mode: 'payment',
        status: 'complete',
        payment_status: 'paid',
        amount_total: 19_900,
        currency: 'usd',
        livemode: false,
      },
    },
  };
  expect(await deliverWebhook(webhook, event, 'whsec_forged')).toBe(400);
  expect(await deliverWebhook(webhook, event, WEBHOOK_SECRET)).toBe(200);
  await expect(owner.locator('[data-testid=order-state]')).toContainText(/paid/i, { timeout: 20_000 });
  await shoot(owner, '12-order-paid');
});

test('the owner runs the report and downloads it', async ({ stage }) => {
  await owner.goto(`${stage.tenant}console/reports`);
  for (const format of ['CSV', 'XLSX']) {
    await owner.getByTestId('report-run').first().click();
    const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
    await owner.getByRole('radio', { name: format }).check({ force: true });
    await setDate(owner, 'from', day(-1));
    await setDate(owner, 'to', day(2));
    await owner.getByTestId('report-submit').click();
    const link = owner.getByTestId(`report-download-${format.toLowerCase()}`).first();
    await expect(link).toBeVisible({ timeout: 60_000 });
    const download = owner.waitForEvent('download');
    await link.click();
    expect((await download).suggestedFilename()).toMatch(new RegExp(`\\.${format.toLowerCase()}$`));
  }
  await shoot(owner, '13-reports');
});

async function setDate(page: Page, key: string, value: string): Promise<void> {
  const input = page.getByTestId(`field-${key}`).locator('input').first();
  await input.fill(value);
  await input.press('Enter');
}

test('everything is in the audit log, which proves to be whole', async ({ stage }) => {
  await owner.goto(`${stage.tenant}console/audit`);
  await expect(owner.getByText('order.paid').first()).toBeVisible();
  await owner.getByTestId('audit-verify').click();
  await expect(owner.getByTestId('audit-verify-result')).toBeVisible();
  await expect(owner.getByTestId('audit-verify-result')).toHaveClass(/success/);
  await shoot(owner, '14-audit');
  await operator.goto(`${stage.base}console/`);
  await shoot(operator, '15-overview-after', 'dark');
});

test('keyboard and languages', async ({ stage }) => {
  await owner.goto(`${stage.tenant}console/`);
  await owner.getByTestId('language').click();
  await owner.getByRole('menuitem', { name: '中文' }).click();
  await expect(owner.locator('html')).toHaveAttribute('lang', 'zh-CN');
  await owner.keyboard.press('Control+k');
  await owner.getByTestId('palette-input').fill('报表');
  await owner.keyboard.press('Enter');
  await expect(owner).toHaveURL(/\/reports/);
});
