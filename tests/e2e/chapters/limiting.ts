// What operators let plugins do and use: ceilings and what they cut, a tenant's terms and budget, the signatures it demands.
import type { Page } from '@playwright/test';
import type { Cast } from '../people.ts';
import { escape, expectNoSideways, tabTo } from '../people.ts';
import { shoot, shootOnce } from '../screens.ts';
import { expect, test, type Stage } from '../stage.ts';

/** The operator's limits on a plugin, from the catalogue. */
async function limitsOf(operator: Page, stage: Stage, plugin: string): Promise<void> {
  await operator.goto(`${stage.base}console/plugins`);
  await operator.locator('tr[data-row]').filter({ hasText: plugin }).first().getByRole('link').click();
  await operator.getByRole('tab', { name: 'Limits and permissions' }).click();
  await expect(operator.getByTestId('ceiling')).toBeVisible();
}

async function installation(owner: Page, stage: Stage, name: string, tab: string): Promise<void> {
  await owner.goto(`${stage.tenant}console/plugins`);
  await owner.getByRole('link', { name }).click();
  await expect(owner).toHaveURL(/\/plugins\/ins_/);
  await owner.goto(`${owner.url().replace(/\?.*$/, '')}?tab=${tab}`);
}

export function limiting(cast: Cast): void {
  test('a ceiling cuts what a plugin may do, and the tenant sees what and by whom', async ({ stage }) => {
    const { operator, owner } = cast;
    await installation(owner, stage, 'Stripe', 'grants');
    await expect(owner.getByTestId('cuts')).toContainText('Nothing');
    await expect(owner.getByTestId('installation-cut')).toHaveCount(0);

    await limitsOf(operator, stage, 'official.stripe');
    await expect(operator.getByTestId('ceiling')).toHaveAttribute('data-open', 'true');
    const hosts = operator.getByTestId('bound-http_hosts');
    const refuse = async () => {
      await operator.getByTestId('ceiling-set').click();
      await operator.getByRole('checkbox', { name: 'requests to these hosts' }).or(operator.getByRole('checkbox', { name: '仅限向以下主机发送请求' })).check();
      await expect(hosts, 'it begins with what the plugin asks for').toContainText('api.stripe.com');
      await hosts.getByRole('combobox').fill('https:/stripe');
      await operator.keyboard.press('Enter');
      await operator.locator('#grants_kv_keys').fill('5');
      await operator.getByTestId('ceiling-submit').click();
      await expect(hosts.locator('.ant-form-item-explain-error').last()).toContainText('*.example.com');
    };
    await shoot(operator, '80-ceiling-refused', { again: refuse });
    await hosts.getByRole('combobox').press('Backspace');
    await operator.getByTestId('ceiling-submit').click();
    await expect(operator.getByTestId('ceiling')).toHaveAttribute('data-open', 'false');
    await expect(operator.getByTestId('ceiling')).toContainText('at most 5');
    await shoot(operator, '81-ceiling');
    await shoot(operator, '81-ceiling', { theme: 'dark' });

    await owner.reload();
    await expect(owner.getByTestId('installation-cut')).toContainText('2 rights were taken away');
    await expect(owner.locator('[data-by=operator]')).toContainText('Keys: 5 of 10,000');
    await expect(owner.locator('[data-by=operator]'), 'its settings name another host than the ceiling').toContainText(`Send requests to ${new URL(stage.stripe).host}`);
    await expect(owner.locator('[data-by=operator]')).toContainText('Ask the operator of this platform');
    await shoot(owner, '82-cuts');
    await owner.setViewportSize({ width: 390, height: 844 });
    await expectNoSideways(owner);
    await shoot(owner, '83-cuts-phone', { whole: true });
    await owner.setViewportSize({ width: 1440, height: 900 });
    await owner.goto(`${stage.tenant}console/plugins`);
    await expect(owner.locator('tr[data-row]').filter({ hasText: 'official.stripe' })).toContainText('2 cuts');

    await operator.getByTestId('ceiling-clear').click();
    await expect(operator.getByTestId('ceiling')).toHaveAttribute('data-open', 'true');
    await owner.reload();
    await expect(owner.locator('tr[data-row]').filter({ hasText: 'official.stripe' })).not.toContainText('cuts');
  });

  test('a plugin that may not be used in a tenant says so, until that is taken back', async ({ stage }) => {
    const { operator, owner } = cast;
    await operator.goto(`${stage.base}console/tenants/acme/limits`);
    const row = operator.locator('[data-row="official.usage-report"]');
    await row.getByTestId('ceiling-tenant-set').click();
    await expect(operator.getByTestId('ceiling-form')).toBeVisible();
    // By keyboard alone: off, and saved.
    await tabTo(operator, operator.getByRole('switch'));
    await operator.keyboard.press('Space');
    await expect(operator.getByTestId('ceiling-forbids')).toBeVisible();
    await shootOnce(operator, '84-forbid-en');
    await tabTo(operator, operator.getByTestId('ceiling-submit'));
    await operator.keyboard.press('Enter');
    await expect(row.locator('[data-status=forbidden]')).toBeVisible();

    const check = async () => {
      await owner.getByTestId('check').click();
      await expect(owner.getByTestId('error-state')).toBeVisible();
    };
    await installation(owner, stage, 'Usage report', 'check');
    await shoot(owner, '85-forbidden', { again: check });
    await expect(owner.getByTestId('error-state')).toContainText('the operator does not let this plugin be used here');
    await expect(owner.getByTestId('error-state').getByTestId('hint')).toContainText('Ask the operator of this platform');

    await row.getByTestId('ceiling-tenant-clear').click();
    await expect(row.getByTestId('ceiling-tenant')).toHaveAttribute('data-open', 'true');
    await owner.getByTestId('check').click();
    await expect(owner.getByTestId('error-state')).toHaveCount(0);
    await expect(owner.getByTestId('findings').or(owner.getByText('The plugin has nothing to object to.'))).toBeVisible();
  });

  test('a tenant has a budget of its plan or its own', async ({ stage }) => {
    const { operator, owner } = cast;
    await operator.goto(`${stage.base}console/plugins/plans`);
    const plans = operator.getByTestId('plan-terms');
    await expect(plans.locator('[data-term=calls_per_second] [data-plan=free]')).toHaveText('1,000');
    await expect(plans.locator('[data-term=calls_per_second] [data-plan=enterprise]')).toHaveText('Not bounded');
    await shoot(operator, '86-plans');
    await operator.getByTestId('plan-edit-free').click();
    await operator.locator('#installations').fill('9');
    await operator.getByTestId('terms-submit').click();
    await expect(plans.locator('[data-term=installations] [data-plan=free]')).toHaveText('9');
    await operator.getByTestId('plan-reset-free').click();
    await operator.getByTestId('confirm').click();
    await expect(plans.locator('[data-term=installations] [data-plan=free]')).toHaveText('Not bounded');

    await operator.goto(`${stage.base}console/tenants/acme/limits`);
    const own = operator.getByTestId('tenant-terms');
    await expect(own.locator('[data-own=true]')).toHaveCount(0);
    const fill = async () => {
      await operator.getByTestId('terms-set').click();
      await operator.locator('#calls_per_second').fill('50');
      await operator.locator('#memory_bytes').fill('0.5');
      await operator.getByTestId('terms-submit').click();
      await expect(operator.getByTestId('terms-form').locator('.ant-form-item-explain-error').first()).toBeVisible();
    };
    await shoot(operator, '87-terms-refused', { again: fill });
    await operator.locator('#memory_bytes').fill('64');
    await operator.getByTestId('terms-submit').click();
    await expect(own.locator('[data-term=calls_per_second][data-own=true]')).toContainText('50');
    await expect(own.locator('[data-own=true]')).toHaveCount(2);
    await shoot(operator, '88-tenant-limits', { whole: true });
    await operator.setViewportSize({ width: 390, height: 844 });
    await expectNoSideways(operator);
    await shoot(operator, '89-tenant-limits-phone', { whole: true });
    await operator.setViewportSize({ width: 1440, height: 900 });

    for (const page of ['plugins', 'quotas']) {
      await owner.goto(`${stage.tenant}console/${page}`);
      await expect(owner.getByTestId('budget-calls_per_second')).toHaveText('50');
      await expect(owner.getByTestId('budget-cpu_ms_per_minute').getByRole('meter')).toBeVisible();
      await shoot(owner, `90-budget-${page}`);
    }
    await operator.getByTestId('terms-clear').click();
    await expect(own.locator('[data-own=true]')).toHaveCount(0);
  });

  test('the signatures a tenant demands are set, and hold when a plugin is enabled', async ({ stage }) => {
    const { operator, owner } = cast;
    await operator.goto(`${stage.base}console/tenants/acme/limits`);
    const trust = operator.getByTestId('tenant-trust');
    await expect(trust).toHaveAttribute('data-tier', 'development');
    await trust.getByText('A verified publisher').click();
    await expect(trust).toHaveAttribute('data-tier', 'verified');
    await expect(operator.getByTestId('trust-below')).toContainText('Stripe (Unsigned)');
    await shoot(operator, '91-trust');

    const refused = async () => {
      await owner.getByTestId('choose-official.usage-report').first().click();
      await owner.getByTestId('grant-consent').click();
      await owner.getByTestId('grant-continue').click();
      await owner.getByTestId('enable-submit').click();
      await expect(owner.getByTestId('error-state')).toBeVisible();
    };
    await owner.goto(`${stage.tenant}console/plugins/enable`);
    await shoot(owner, '92-unsigned-refused', { again: refused });
    await expect(owner.getByTestId('problem-code')).toContainText(/unsigned|tier_too_low/);

    await trust.getByText('What the host demands').click();
    await expect(trust).toHaveAttribute('data-tier', 'development');
    await expect(operator.getByTestId('trust-below')).toHaveCount(0);
    await escape(operator);
  });
}
