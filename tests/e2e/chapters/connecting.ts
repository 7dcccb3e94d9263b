// The owner connects sign-in, payment and reports; the operator puts the product behind the gateway.
import type { Page } from '@playwright/test';
import type { Cast } from '../people.ts';
import { dialog, field, LIMIT, OWNER, WEBHOOK_SECRET } from '../people.ts';
import { shoot, shootOnce } from '../screens.ts';
import { expect, test, type Stage } from '../stage.ts';

async function enable(owner: Page, stage: Stage, plugin: string, fill: () => Promise<void>, shot?: string): Promise<void> {
  await owner.goto(`${stage.tenant}console/plugins/enable`);
  const choose = async () => {
    await owner.getByTestId(`choose-${plugin}`).click();
    await expect(owner.getByTestId('capabilities')).toBeVisible();
  };
  if (shot) {
    await shoot(owner, `${shot}-choose`);
    await shoot(owner, `${shot}-review`, { again: choose, whole: true });
    const configure = async () => {
      await choose();
      await owner.getByTestId('grant-consent').click();
      await owner.getByTestId('grant-continue').click();
      await fill();
    };
    await shoot(owner, `${shot}-form`, { again: configure, whole: true });
  } else {
    await choose();
    await owner.getByTestId('grant-consent').click();
    await owner.getByTestId('grant-continue').click();
    await fill();
  }
  await owner.getByTestId('enable-submit').click();
  await expect(owner.getByTestId('enable-done')).toBeVisible();
}

export function connecting(cast: Cast): void {
  test('the owner signs in by keyboard, a wrong password is refused', async ({ stage }) => {
    const { owner } = cast;
    await owner.goto(`${stage.tenant}console/orders`);
    await expect(owner.getByTestId('login-form')).toBeVisible();
    await expect(owner.locator('#email')).toBeFocused();
    await owner.keyboard.type(OWNER.email);
    await owner.keyboard.press('Tab');
    await owner.keyboard.type('not the password');
    await owner.keyboard.press('Enter');
    await expect(owner.getByTestId('error-state')).toContainText('Email or password is wrong');
    await shootOnce(owner, '12-login-refused-en');
    await owner.locator('#password').fill(OWNER.password);
    await owner.keyboard.press('Enter');
    await expect(owner.getByTestId('account')).toBeVisible();
    await expect(owner, 'back to where the sign-in was asked for').toHaveURL(/\/orders$/);
    for (const page of ['orders', 'reports', 'plugins']) {
      await owner.goto(`${stage.tenant}console/${page}`);
      await expect(owner.getByTestId('empty-state')).toBeVisible();
      await shoot(owner, `13-${page}-empty`);
    }
    await owner.goto(`${stage.tenant}console/`);
    await expect(owner.getByTestId('checklist')).toContainText('0 / 4');
    await shoot(owner, '14-home-empty');
  });

  test('the owner enables the three plugins through forms made from their schemas', async ({ stage }) => {
    const { owner } = cast;
    const connect = async () => {
      await expect(owner.getByTestId('field-create').getByRole('switch'), 'the form starts with the defaults').toBeChecked();
      await field(owner, 'issuer').fill(stage.oidc.issuer);
      await field(owner, 'client_id').fill(stage.oidc.client_id);
      await field(owner, 'client_secret').fill(stage.oidc.client_secret);
    };
    await enable(owner, stage, 'official.oauth', connect, '15-enable');
    await owner.getByTestId('check-deep').click();
    await expect(owner.getByTestId('findings')).toBeVisible();
    await shootOnce(owner, '16-enable-done-en');

    // A value that the schema does not accept is marked before it is sent, and the form keeps what was typed.
    await enable(owner, stage, 'official.stripe', async () => {
      await field(owner, 'api_base').fill('not an address');
      await field(owner, 'api_key').fill('sk_test_aKeyForStripeMock');
      await owner.getByTestId('enable-submit').click();
      await expect(owner.getByTestId('field-api_base').getByRole('alert')).toBeVisible();
      await expect(owner.getByTestId('field-webhook_secret').getByRole('alert')).toBeVisible();
      await shootOnce(owner, '17-config-refused-en');
      await field(owner, 'api_base').fill(stage.stripe);
      await field(owner, 'webhook_secret').fill(WEBHOOK_SECRET);
    });
    await enable(owner, stage, 'official.usage-report', async () => undefined);
    await owner.goto(`${stage.tenant}console/plugins`);
    await expect(owner.locator('tr[data-row]')).toHaveCount(3);
    await shoot(owner, '18-enabled');
    await owner.getByRole('link', { name: 'Stripe' }).click();
    await expect(owner.getByTestId('settings-form')).toBeVisible();
    await expect(owner.getByTestId('secret-replace-api_key'), 'a secret is set and cannot be read').toBeVisible();
    expect(await owner.content()).not.toContain('sk_test_aKeyForStripeMock');
    await shoot(owner, '19-installation');
    const tabs = ['addresses', 'grants', 'version', 'calls', 'logs', 'check'];
    for (const [index, tab] of tabs.entries()) {
      await shoot(owner, `19-installation-${tab}`, { again: () => owner.getByRole('tab').nth(index + 1).click() });
    }
  });

  test('the operator routes the product and sets a quota', async ({ stage }) => {
    const { operator } = cast;
    await operator.goto(`${stage.base}console/routes`);
    await operator.getByTestId('route-create').first().click();
    await operator.locator('#upstream').fill(stage.upstream);
    await shootOnce(operator, '20-route-form-en');
    await operator.getByTestId('route-submit').click();
    await expect(operator.getByText(stage.upstream).first()).toBeVisible();
    await shoot(operator, '21-routes');
    await operator.goto(`${stage.base}console/tenants/acme/quotas`);
    const edit = () => operator.getByTestId('quota-edit-api.calls').click();
    await shoot(operator, '22-quota-edit', { again: edit });
    const unlimited = dialog(operator).getByRole('checkbox');
    if (await unlimited.isChecked()) await unlimited.uncheck();
    await operator.getByTestId('quota-limit').fill(String(LIMIT));
    await operator.getByTestId('quota-save').click();
    await expect(dialog(operator)).toHaveCount(0);
    await expect(operator.getByTestId('quota-api.calls')).toContainText(`0 / ${LIMIT}`);
    await shoot(operator, '23-quotas');
  });
}
