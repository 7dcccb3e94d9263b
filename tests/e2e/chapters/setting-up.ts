// The operator sets the platform up: account, tenant, plugins.
import { join } from 'node:path';
import type { Cast } from '../people.ts';
import { OPERATOR, OWNER, tabTo } from '../people.ts';
import { shoot, shootOnce } from '../screens.ts';
import { expect, test } from '../stage.ts';

export function settingUp(cast: Cast): void {
  test('the set-up link makes the first operator', async ({ stage }) => {
    const { operator } = cast;
    await operator.goto(`${stage.base}console/`);
    await expect(operator.getByText('Nobody owns this server yet')).toBeVisible();
    await shoot(operator, '00-nobody');
    await operator.goto(stage.setup_url);
    await expect(operator.getByTestId('setup-form')).toBeVisible();
    await shoot(operator, '01-setup');
    // By keyboard alone: the first field has the focus, Enter sends.
    await expect(operator.locator('#name')).toBeFocused();
    await operator.keyboard.type(OPERATOR.name);
    await operator.keyboard.press('Tab');
    await operator.keyboard.type(OPERATOR.email);
    await operator.keyboard.press('Tab');
    await operator.keyboard.type('too short');
    await operator.keyboard.press('Enter');
    await expect(operator.locator('.ant-form-item-explain-error')).toHaveText('At least 12 characters');
    await operator.locator('#password').fill(OPERATOR.password);
    await operator.keyboard.press('Enter');
    await expect(operator.getByTestId('account')).toBeVisible();
    await expect(operator.getByTestId('checklist')).toContainText('0 / 3');
    await shoot(operator, '02-overview-empty');
  });

  test('empty lists say what to do', async ({ stage }) => {
    const { operator } = cast;
    for (const page of ['tenants', 'plugins', 'routes', 'jobs']) {
      await operator.goto(`${stage.base}console/${page}`);
      await expect(operator.getByTestId('empty-state')).toBeVisible();
      await shoot(operator, `03-${page}-empty`);
    }
    await operator.goto(`${stage.base}console/nowhere`);
    await expect(operator.getByRole('link', { name: 'Back to the start' })).toBeVisible();
    await shoot(operator, '03-not-found');
  });

  test('the operator creates a tenant with its owner, by keyboard', async ({ stage }) => {
    const { operator, owner } = cast;
    await operator.goto(`${stage.base}console/`);
    await expect(operator.getByTestId('checklist')).toBeVisible();
    await operator.keyboard.press('Control+k');
    await expect(operator.getByTestId('palette-input')).toBeFocused();
    await operator.keyboard.type('new tenant');
    await operator.keyboard.press('Enter');
    const form = operator.getByTestId('tenant-form');
    const type = async (control: string, text: string) => {
      await tabTo(operator, form.locator(control));
      await operator.keyboard.type(text);
    };
    await expect(form.locator('#name')).toBeFocused();
    await operator.keyboard.type('Acme');
    await expect(form.locator('#slug')).toHaveValue('acme');
    await type('#owner_name', OWNER.name);
    await type('#owner_email', OWNER.email);
    await type('#owner_password', OWNER.password);
    await shootOnce(operator, '04-tenant-form-en');
    await operator.keyboard.press('Enter');
    await expect(operator).toHaveURL(/\/tenants\/acme/);
    await shoot(operator, '05-tenant');
    await operator.goto(`${stage.base}console/tenants`);
    await expect(operator.getByRole('cell', { name: /acme/i }).first()).toBeVisible();
    await shoot(operator, '06-tenants');
  });

  test('the operator installs plugins while the host runs; a file that is none is refused with the reason', async ({ stage }) => {
    const { operator } = cast;
    await operator.goto(`${stage.base}console/plugins`);
    const refuse = async () => {
      await operator.getByTestId('plugin-upload').first().click();
      await operator.getByTestId('plugin-file').setInputFiles({ name: 'broken.wasm', mimeType: 'application/wasm', buffer: Buffer.from('no component') });
      await expect(operator.locator('[data-testid=upload-item][data-state=refused]')).toHaveCount(1);
    };
    await shoot(operator, '07-plugin-refused', { again: refuse });
    await expect(operator.locator('[data-testid=upload-item][data-state=refused]')).toContainText('not a WebAssembly component');
    const files = ['identity-oauth', 'payment-stripe', 'report-usage'].map((name) => join(stage.plugins, `${name}.wasm`));
    await operator.getByTestId('plugin-file').setInputFiles(files);
    await expect(operator.locator('[data-testid=upload-item][data-state=done]')).toHaveCount(3, { timeout: 90_000 });
    await shootOnce(operator, '08-plugins-uploaded-en');
    await operator.keyboard.press('Escape');
    await shoot(operator, '09-plugins');
    await operator.getByRole('link', { name: 'OpenID Connect' }).click();
    await expect(operator.getByTestId('capabilities')).toBeVisible();
    await shoot(operator, '10-plugin');
    await shoot(operator, '11-plugin-form', { again: () => operator.getByRole('tab').nth(2).click() });
  });
}
