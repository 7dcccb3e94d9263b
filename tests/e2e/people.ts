// The people of the story, each with a browser of their own, and the faults that happened inside their pages.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, type Browser, type BrowserContext, type Locator, type Page } from '@playwright/test';

export const OPERATOR = { name: 'Olive Operator', email: 'operator@example.test', password: "the operator's long password" };
/** The tenant's quota of calls in this story. */
export const LIMIT = 3;
/** What Stripe and the tenant's payment plugin share. */
export const WEBHOOK_SECRET = 'whsec_for_the_console';
export const OWNER = { name: 'Olga Owner', email: 'olga@acme.test', password: "the owner's long password" };

/** Who takes part. */
export interface Cast {
  operator: Page;
  /** Of the tenant `acme`. */
  owner: Page;
  /** Known to the company's identity provider only. */
  member: Page;
}

/** A folder with a build of the console that stands in for the one inside the binary: to try a change without compiling. */
const instead = process.env.AISTACK_CONSOLE_DIST;

export class People {
  private readonly contexts: BrowserContext[] = [];
  /** Exceptions inside the pages, and errors on their consoles that are not refused requests. */
  private faults: string[] = [];

  constructor(private readonly browser: Browser) {}

  /** Somebody with a fresh browser that speaks English. */
  async one(): Promise<Page> {
    const context = await this.browser.newContext({ locale: 'en-GB', acceptDownloads: true });
    this.contexts.push(context);
    if (instead) await serve(context, resolve(instead));
    const page = await context.newPage();
    page.on('pageerror', (error) => this.faults.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) this.faults.push(`${page.url()}: ${message.text()}`);
    });
    return page;
  }

  /** What went wrong inside the pages since the last call. */
  takeFaults(): string[] {
    return this.faults.splice(0);
  }

  async leave(): Promise<void> {
    for (const context of this.contexts) await context.close();
  }
}

async function serve(context: BrowserContext, dist: string): Promise<void> {
  await context.route(/^https?:\/\/[^/]+(\/t\/[^/]+)?\/console(\/|$)/, async (route) => {
    const path = new URL(route.request().url()).pathname.replace(/^(\/t\/[^/]+)?\/console\/?/, '');
    const asset = /\.[a-z\d]+$/.test(path);
    if (asset) {
      // What a redirect led to is the binary's own page (redirects are not intercepted), and asks for the binary's own files.
      await (existsSync(join(dist, path)) ? route.fulfill({ path: join(dist, path) }) : route.continue());
    } else {
      // The headers stay the server's, so that its content policy is tried as well. Node does not find names below localhost.
      const response = await route.fetch({ url: `http://localhost:${new URL(route.request().url()).port}/console/` });
      await route.fulfill({ response, body: readFileSync(join(dist, 'index.html'), 'utf8') });
    }
  });
}

/** Presses Tab until the control has the focus, as somebody without a mouse does. */
export async function tabTo(page: Page, control: Locator, most = 40): Promise<void> {
  for (let presses = 0; presses < most; presses += 1) {
    if (await control.evaluate((element) => element === document.activeElement || element.contains(document.activeElement))) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${control} cannot be reached with ${most} presses of Tab`);
}

/** The control of a field in a form made from a JSON Schema. */
export function field(page: Page, key: string): Locator {
  return page.getByTestId(`field-${key}`).locator('input, textarea').first();
}

/** The open drawer or dialog. */
export function dialog(page: Page): Locator {
  return page.getByRole('dialog').filter({ visible: true });
}

/** Leaves a drawer or dialog with Escape, pressed again when it was still moving in. */
export async function escape(page: Page): Promise<void> {
  await expect(async () => {
    await page.keyboard.press('Escape');
    await expect(dialog(page)).toHaveCount(0, { timeout: 1_500 });
  }).toPass({ timeout: 15_000 });
}

/** No page may be wider than its window. */
export async function expectNoSideways(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 'the page scrolls sideways').toBeLessThanOrEqual(0);
}
