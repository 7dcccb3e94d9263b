// What holds on every page: languages and themes, the palette and the keys, small windows, the other steps of a sign-in.
import type { Cast } from '../people.ts';
import { dialog, escape, expectNoSideways, tabTo } from '../people.ts';
import { shoot, shootOnce } from '../screens.ts';
import { expect, test } from '../stage.ts';

export function desk(cast: Cast): void {
  test('the operator sees a tenant as its people do', async ({ stage }) => {
    const { operator } = cast;
    for (const tab of ['usage', 'plugins', 'members', 'orders', 'reports', 'audit']) {
      await operator.goto(`${stage.base}console/tenants/acme/${tab}`);
      await shoot(operator, `40-tenant-${tab}`);
    }
    await operator.goto(`${stage.base}console/tenants/acme`);
    await shoot(operator, '41-tenant-history', { again: () => operator.getByTestId('history-open').click() });
    await operator.goto(`${stage.base}console/jobs`);
    await shoot(operator, '42-jobs');
  });

  test('the language and the theme are switched and remembered', async ({ stage }) => {
    const { owner } = cast;
    await owner.goto(`${stage.tenant}console/`);
    await owner.getByTestId('language').click();
    await owner.getByRole('menuitem', { name: '中文' }).click();
    await expect(owner.locator('html')).toHaveAttribute('lang', 'zh-CN');
    await expect(owner.getByRole('link', { name: '报表' })).toBeVisible();
    await owner.getByTestId('theme').click();
    await owner.getByRole('menuitem', { name: '深色' }).click();
    await expect(owner.locator('html')).toHaveAttribute('data-theme', 'dark');
    await owner.reload();
    await expect(owner.locator('html')).toHaveAttribute('lang', 'zh-CN');
    await expect(owner.locator('html')).toHaveAttribute('data-theme', 'dark');
    await owner.getByTestId('theme').click();
    await owner.getByRole('menuitem', { name: '浅色' }).click();
    await owner.getByTestId('language').click();
    await owner.getByRole('menuitem', { name: 'English' }).click();
    await expect(owner.getByRole('link', { name: 'Reports' })).toBeVisible();
  });

  test('the pages are readable in the dark', async ({ stage }) => {
    const { operator, owner } = cast;
    await owner.goto(`${stage.tenant}console/`);
    await shoot(owner, '43-home', { theme: 'dark' });
    await owner.goto(`${stage.tenant}console/audit`);
    await shoot(owner, '44-audit', { theme: 'dark' });
    await owner.goto(`${stage.tenant}console/plugins`);
    await owner.getByRole('link', { name: 'OpenID Connect' }).click();
    await shoot(owner, '45-settings', { theme: 'dark' });
    await operator.goto(`${stage.base}console/`);
    await expect(operator.getByTestId('stat-tenants')).toContainText('1');
    await shoot(operator, '46-overview', { theme: 'dark' });
    await shoot(operator, '46-overview');
  });

  test('pages, actions and objects are a few keys away', async ({ stage }) => {
    const { owner } = cast;
    await owner.goto(`${stage.tenant}console/`);
    await expect(owner.getByTestId('account')).toBeVisible();
    const search = async (text: string) => {
      await owner.keyboard.press('Control+k');
      await expect(owner.getByTestId('palette-input')).toBeFocused();
      await owner.keyboard.type(text);
    };
    await shoot(owner, '47-palette', { again: () => search('or') });
    await escape(owner);
    await search('professional');
    await expect(owner.getByRole('option', { name: /Professional, one month/ })).toBeVisible();
    await owner.keyboard.press('Enter');
    await expect(owner).toHaveURL(/\/orders\/ord_/);
    await search('reports');
    await owner.keyboard.press('Enter');
    await expect(owner).toHaveURL(/\/reports$/);
    const help = async () => {
      await owner.keyboard.press('?');
      await expect(dialog(owner)).toBeVisible();
    };
    await shoot(owner, '48-keys', { again: help });
    await escape(owner);
    // The first Tab offers to skip the navigation.
    await owner.goto(`${stage.tenant}console/orders`);
    await expect(owner.getByTestId('order-create').first()).toBeVisible();
    await owner.keyboard.press('Tab');
    await expect(owner.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
    await owner.keyboard.press('Enter');
    await tabTo(owner, owner.getByTestId('order-create').first(), 3);
    await owner.keyboard.press('Enter');
    await expect(owner.locator('#amount')).toBeFocused();
    await escape(owner);
  });

  test('a phone shows everything without scrolling sideways', async ({ stage }) => {
    const { owner } = cast;
    await owner.setViewportSize({ width: 390, height: 844 });
    for (const page of ['', 'plugins', 'usage', 'orders', 'audit', 'plugins/enable']) {
      await owner.goto(`${stage.tenant}console/${page}`);
      await expect(owner.getByRole('heading', { level: 1 })).toBeVisible();
      await expectNoSideways(owner);
      await shoot(owner, `49-phone-${page.replace('/', '-') || 'home'}`);
    }
    await owner.setViewportSize({ width: 1440, height: 900 });
  });

  test('an order can be cancelled, and a failing plugin says why', async ({ stage }) => {
    const { owner } = cast;
    await owner.goto(`${stage.tenant}console/plugins`);
    await owner.getByRole('link', { name: 'Stripe' }).click();
    await owner.getByTestId('secret-replace-api_key').click();
    await owner.getByTestId('field-api_key').locator('input').fill('not a key of Stripe');
    await owner.getByTestId('settings-save').click();
    await owner.getByTestId('settings-confirm').click();
    await expect(owner.getByTestId('secret-replace-api_key')).toBeVisible();
    await owner.goto(`${stage.tenant}console/orders?new=1`);
    await owner.locator('#amount').fill('5');
    await owner.locator('#description').fill('With a wrong key');
    await owner.getByTestId('order-submit').click();
    await owner.getByTestId('order-pay').click();
    await expect(owner.getByText('The plugin failed').first()).toBeVisible();
    await shootOnce(owner, '50-plugin-failed-en');
    await owner.getByTestId('order-cancel').click();
    await shootOnce(owner, '51-confirm-en');
    await owner.getByTestId('confirm').click();
    await expect(owner.locator('[data-status=cancelled]').first()).toBeVisible();
  });

  test('signing out ends the session everywhere it was shown', async ({ stage }) => {
    const { member } = cast;
    await member.goto(`${stage.tenant}console/`);
    await member.getByTestId('account').click();
    await member.getByTestId('sign-out').click();
    await expect(member.getByTestId('login-form')).toBeVisible();
    await member.goto(`${stage.tenant}console/orders`);
    await expect(member.getByTestId('login-form')).toBeVisible();
  });

  // The official plugins lead to the provider's page only; what others may ask for is answered here by the test.
  test('a connection may ask for fields, show a code to scan, or wait', async ({ stage }) => {
    const { member } = cast;
    const answers = {
      start: { step: 'prompt', fields: [{ name: 'user.name', label: 'Directory name', secret: false }, { name: 'password', label: 'Directory password', secret: true }] } as object,
      callback: { step: 'qr', payload: 'https://qr.example.test/abc', poll_ms: 600 } as object,
    };
    const asked: unknown[] = [];
    await member.route('**/api/v1/login/*/start?*', (route) => route.fulfill({ json: answers.start }));
    await member.route('**/api/v1/login/*/callback', (route) => {
      asked.push(route.request().postDataJSON());
      return route.fulfill({ json: answers.callback });
    });
    const connection = await member.evaluate(async () => ((await (await fetch('/api/v1/login/methods')).json()) as { connections: { id: string }[] }).connections[0]?.id ?? '');
    await member.goto(`${stage.tenant}console/login?connection=${connection}`);
    await expect(member.getByLabel('Directory name')).toBeFocused();
    await shoot(member, '52-login-fields');
    await member.keyboard.type('alice');
    await member.keyboard.press('Tab');
    await member.keyboard.type('correct horse');
    await member.keyboard.press('Enter');
    await expect(member.getByTestId('login-qr')).toBeVisible();
    expect(asked[0]).toEqual({ fields: { 'user.name': 'alice', password: 'correct horse' } });
    await shootOnce(member, '53-login-code-en');
    await expect.poll(() => asked.at(-1)).toEqual({ poll: true });
    answers.callback = { step: 'wait', show: { message: { en: 'Enter the code on your phone', 'zh-CN': '请在手机上输入验证码' }, user_code: 'WDJB-MJHT', verification_uri: 'https://device.example.test/' }, poll_ms: 5_000 };
    await expect(member.getByTestId('login-wait')).toContainText('WDJB-MJHT');
    await shootOnce(member, '54-login-wait-en');
    answers.callback = { step: 'done', return_to: '/console/orders' };
    await expect(member).toHaveURL(/\/login\?return=.*orders/, { timeout: 20_000 });
    await member.unrouteAll();
  });
}
