// Plugins over time: a version that asks for more, one out of service, why a call failed, whose plugins are taken, releases.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { withManifest } from '../components.ts';
import type { Cast } from '../people.ts';
import { dialog, escape, tabTo } from '../people.ts';
import { shoot, shootOnce } from '../screens.ts';
import { expect, test, type Stage } from '../stage.ts';

const PLUGIN = 'official.usage-report';
const REASON = 'It counts the last day twice';

/** The report plugin as its next version, which also talks to a host and runs longer. */
function nextVersion(stage: Stage): Buffer {
  return withManifest(readFileSync(join(stage.plugins, 'report-usage.wasm')), (manifest) => {
    const next = manifest
      .replace('version = "1.0.0"', 'version = "1.1.0"')
      .replace('run-ms = 300000', 'run-ms = 420000')
      .replace('[[report]]', '[[egress]]\nkind = "http"\nhosts = ["rates.example.com"]\n\n[[report]]');
    expect(next, 'the manifest of the report plugin is as this story knows it').toMatch(/1\.1\.0[^]*420000[^]*rates\.example\.com/);
    return next;
  });
}

/** The address of the tenant's report plugin. */
async function reportPlugin(owner: Page, stage: Stage): Promise<string> {
  await owner.goto(`${stage.tenant}console/plugins`);
  await owner.getByRole('link', { name: 'Usage report' }).click();
  await expect(owner).toHaveURL(/\/plugins\/ins_/);
  return owner.url().replace(/\?.*$/, '');
}

/** The page of a version of the report plugin in the host's catalogue. */
async function versionPage(operator: Page, stage: Stage, version: string): Promise<void> {
  await operator.goto(`${stage.base}console/plugins`);
  const row = operator.locator('tr[data-row]').filter({ hasText: PLUGIN }).filter({ has: operator.getByText(version, { exact: true }) });
  await row.getByRole('link').click();
  await expect(operator.getByTestId('plugin-tier')).toBeVisible();
}

export function running(cast: Cast): void {
  test('a version that asks for more is shown with what it asks for, and waits for consent', async ({ stage }) => {
    const { operator, owner } = cast;
    await operator.goto(`${stage.base}console/plugins?upload=1`);
    await operator.getByTestId('plugin-file').setInputFiles({ name: 'report-usage-1.1.0.wasm', mimeType: 'application/wasm', buffer: nextVersion(stage) });
    await expect(operator.locator('[data-testid=upload-item][data-state=done]')).toHaveCount(1, { timeout: 90_000 });

    const page = await reportPlugin(owner, stage);
    await owner.goto(`${page}?tab=version`);
    await expect(owner.locator('[data-version="1.0.0"]')).toContainText('In use');
    await shoot(owner, '60-version');
    const ask = async () => {
      await owner.getByTestId('version-to-1.1.0').click();
      await expect(owner.getByTestId('added')).toBeVisible();
    };
    await shoot(owner, '61-consent', { again: ask });
    await expect(owner.getByTestId('added')).toContainText('rates.example.com');
    await expect(owner.getByTestId('added')).toContainText('Time per run: 420 s instead of 300 s');
    await owner.getByTestId('consent-later').click();
    await expect(dialog(owner)).toHaveCount(0);
    await expect(owner.locator('[data-version="1.0.0"]'), 'nothing changed').toContainText('In use');

    await ask();
    await owner.getByTestId('consent-wait').click();
    await expect(owner.getByTestId('installation-pending')).toContainText('1.1.0');
    await shoot(owner, '62-pending', { theme: 'dark' });
    // Turned down, nothing of it is left; asked again, it waits again.
    await owner.getByTestId('pending-decline').click();
    await owner.getByTestId('confirm').click();
    await expect(owner.getByTestId('installation-pending')).toHaveCount(0);
    await expect(owner.locator('[data-version="1.0.0"]')).toContainText('In use');
    await ask();
    await owner.getByTestId('consent-wait').click();
    await expect(owner.getByTestId('installation-pending')).toContainText('1.1.0');
    // By keyboard alone: to the button, into the dialog, agreed.
    await tabTo(owner, owner.getByTestId('pending-review'));
    await owner.keyboard.press('Enter');
    await expect(owner.getByTestId('added')).toContainText('rates.example.com');
    await tabTo(owner, owner.getByTestId('consent-agree'));
    await owner.keyboard.press('Enter');
    await expect(owner.getByTestId('installation-pending')).toHaveCount(0);
    await expect(owner.locator('[data-version="1.1.0"]')).toContainText('In use');
    await owner.getByTestId('version-pin').click();
    await expect(owner.getByTestId('version-pin')).toHaveAttribute('aria-checked', 'true');
    await shoot(owner, '63-upgraded');
    await owner.getByTestId('version-pin').click();
    await expect(owner.getByTestId('version-pin')).toHaveAttribute('aria-checked', 'false');
  });

  test('a version out of service says so, and leads back', async ({ stage }) => {
    const { operator, owner } = cast;
    await versionPage(operator, stage, '1.1.0');
    const ask = async () => {
      await operator.getByTestId('plugin-quarantine').click();
      await operator.getByTestId('confirm-reason').fill(REASON);
    };
    await shoot(operator, '64-quarantine', { again: ask });
    await operator.getByTestId('confirm').click();
    await expect(operator.getByTestId('plugin-held')).toContainText(REASON);
    await shoot(operator, '65-quarantined');

    const page = await reportPlugin(owner, stage);
    await expect(owner.getByTestId('installation-held')).toContainText(REASON);
    await shoot(owner, '66-held');
    await owner.getByTestId('held-way-out').click();
    await expect(owner).toHaveURL(`${page}?tab=version`);
    await owner.getByTestId('version-back').click();
    await expect(dialog(owner)).toContainText('Version 1.0.0 takes over at once');
    await shootOnce(owner, '67-back-en');
    await owner.getByTestId('confirm').click();
    await expect(owner.getByTestId('installation-held')).toHaveCount(0);
    await expect(owner.locator('[data-version="1.0.0"]')).toContainText('In use');
    await expect(owner.getByTestId('version-to-1.1.0'), 'nobody can change to it').toBeDisabled();

    await operator.goto(`${stage.base}console/plugins/health`);
    await expect(operator.getByTestId('health-held')).toContainText(REASON);
    await versionPage(operator, stage, '1.1.0');
    await operator.getByTestId('plugin-quarantine-lift').click();
    await expect(operator.getByTestId('plugin-held')).toHaveCount(0);
  });

  test('a failed call says why', async ({ stage }) => {
    const { owner } = cast;
    await owner.goto(`${stage.tenant}console/plugins`);
    await owner.getByRole('link', { name: 'Stripe' }).click();
    await owner.getByRole('tab', { name: 'Calls' }).click();
    // The payment that was tried with a wrong key.
    const failed = owner.locator('tr[data-row]').filter({ has: owner.locator('[data-status=fault]') }).first();
    await expect(failed).toBeVisible();
    await failed.focus();
    await owner.keyboard.press('Enter');
    await expect(owner.getByTestId('call-why')).toContainText('How to fix it');
    await expect(owner.getByTestId('why-command')).toContainText(/^aistack plugin why cal_\S+ --tenant acme --installation ins_\S+$/);
    await expect(owner.getByTestId('call-figures').getByRole('row')).toHaveCount(7);
    await expect(owner, 'the open call can be sent to a colleague').toHaveURL(/[?&]call=cal_/);
    await shoot(owner, '68-why');
    await shoot(owner, '68-why', { theme: 'dark' });
    // The page was loaded again: the drawer opens once the call is there.
    await expect(owner.getByTestId('call-why')).toBeVisible();
    await escape(owner);
    await expect(owner).not.toHaveURL(/call=cal_/);

    await owner.getByRole('tab', { name: 'Live log' }).click();
    await expect(owner.locator('.section .live-live')).toBeVisible();
    await owner.getByTestId('log-pause').click();
    await expect(owner.getByTestId('log-pause')).toHaveAttribute('aria-pressed', 'true');
    await shoot(owner, '69-log');
  });

  test('the operator sees how plugins do, and says whose are taken', async ({ stage }) => {
    const { operator } = cast;
    await operator.goto(`${stage.base}console/`);
    await expect(operator.getByTestId('account')).toBeVisible();
    await operator.keyboard.press('Control+k');
    await expect(operator.getByTestId('palette-input')).toBeFocused();
    await operator.keyboard.type('plugin health');
    await expect(operator.getByRole('option', { name: 'Plugin health' })).toHaveAttribute('aria-selected', 'true');
    await operator.keyboard.press('Enter');
    await expect(operator).toHaveURL(/\/plugins\/health$/);
    await operator.getByTestId('health-window').getByText('1 hour').click();
    await expect(operator.locator('tr[data-row="acme/official.stripe"]')).toBeVisible();
    await operator.getByTestId('health-by').getByText('Failed').click();
    await expect(operator.locator('tr[data-row]').first()).toHaveAttribute('data-row', 'acme/official.stripe');
    await expect(operator.getByTestId('health-instances')).toContainText('/');
    await shoot(operator, '70-health');
    await shoot(operator, '70-health', { theme: 'dark' });

    await operator.goto(`${stage.base}console/plugins/publishers`);
    await expect(operator.getByTestId('node-trust')).toContainText('development');
    await expect(operator.getByTestId('empty-state')).toBeVisible();
    const refuse = async () => {
      await operator.getByTestId('publisher-add').first().click();
      await operator.locator('#publisher').fill('acme');
      await operator.locator('#public_key').fill('not a key');
      await operator.getByTestId('publisher-submit').click();
      await expect(operator.getByTestId('publisher-form').locator('.ant-form-item-explain-error')).toHaveCount(2);
    };
    await shoot(operator, '71-publisher-refused', { again: refuse });
    const { publicKey } = generateKeyPairSync('ed25519');
    await operator.locator('#public_key').fill(publicKey.export({ type: 'spki', format: 'pem' }).toString());
    await operator.getByTestId('publisher-form').getByText('Verified').click();
    await operator.getByTestId('publisher-submit').click();
    await expect(operator.locator('tr[data-row]')).toContainText('acme');
    await expect(operator.locator('tr[data-row]')).toContainText('Verified');
    await shoot(operator, '72-publishers');
    await operator.getByTestId('publisher-actions').click();
    await operator.getByRole('menuitem', { name: 'Revoke' }).click();
    await expect(operator.getByTestId('confirm')).toBeDisabled();
    await operator.getByTestId('confirm-name').fill('acme');
    await operator.getByTestId('confirm').click();
    await expect(operator.locator('tr[data-row] [data-status=revoked]')).toBeVisible();
    await expect(operator.getByTestId('publisher-actions'), 'a revoked key stays revoked').toHaveCount(0);
  });

  test('a release is tried on a share, then ended without a verdict', async ({ stage }) => {
    const { operator } = cast;
    await versionPage(operator, stage, '1.1.0');
    const tab = () => operator.getByRole('tab').nth(1).click();
    await tab();
    await expect(operator.getByTestId('empty-state')).toBeVisible();
    const fill = async () => {
      await tab();
      await operator.getByTestId('release-start').click();
      await expect(operator.getByTestId('release-form')).toBeVisible();
    };
    await shoot(operator, '73-release-form', { again: fill });
    await operator.getByTestId('release-submit').click();
    await expect(operator.getByTestId('release-running')).toContainText('1.1.0');
    await shoot(operator, '74-release', { again: tab });
    await operator.getByTestId('release-cancel').click();
    await operator.getByTestId('confirm').click();
    await expect(operator.getByTestId('releases-past').locator('[data-status=cancelled]')).toBeVisible();
  });
}
