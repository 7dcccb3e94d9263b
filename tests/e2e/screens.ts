// Screenshots of a page in both languages, into results/screenshots/.
import { resolve } from 'node:path';
import { expect, type Page } from '@playwright/test';

/** `AISTACK_SHOTS=none` tells the story without pictures, in half the time; `AISTACK_SHOTS='^8'` takes those whose names match. */
const wanted = process.env.AISTACK_SHOTS ?? '';
const shooting = (name: string) => wanted !== 'none' && new RegExp(wanted).test(name);
const folder = resolve(import.meta.dirname, 'results/screenshots');
// English last: the story goes on in it.
const languages = [
  { locale: 'zh', html: 'zh-CN' },
  { locale: 'en', html: 'en' },
] as const;

export interface Shot {
  theme?: 'light' | 'dark';
  /** Opens again what a reload closes: a drawer, a dialog, a result. */
  again?: () => Promise<unknown>;
  /** The whole page, not only what the window shows. */
  whole?: boolean;
}

/** Shoots the page in Chinese and English. It is reloaded for that, and left in English and light. */
export async function shoot(page: Page, name: string, { theme = 'light', again, whole = false }: Shot = {}): Promise<void> {
  if (!shooting(name)) {
    // The state it leaves is the same: reloaded, then opened again.
    await dress(page, 'en', 'light');
    await ready(page);
    await again?.();
    return;
  }
  for (const { locale, html } of languages) {
    await dress(page, locale, theme);
    await expect(page.locator('html')).toHaveAttribute('lang', html);
    await settled(page);
    await again?.();
    await settled(page);
    await page.screenshot({ path: resolve(folder, `${name}-${locale}${theme === 'dark' ? '-dark' : ''}.png`), fullPage: whole });
  }
  if (theme !== 'light') await dress(page, 'en', 'light');
}

/** Shoots the page as it stands, in the language it has. */
export async function shootOnce(page: Page, name: string): Promise<void> {
  if (!shooting(name)) return;
  await settled(page);
  await page.screenshot({ path: resolve(folder, `${name}.png`) });
}

async function dress(page: Page, locale: string, theme: string): Promise<void> {
  await page.evaluate(([l, t]) => {
    localStorage.setItem('aistack.locale', l);
    localStorage.setItem('aistack.theme', t);
  }, [locale, theme] as const);
  await page.reload();
}

/** Waits until nothing loads and nothing moves. The live stream stays open, so "network idle" never comes. */
async function settled(page: Page): Promise<void> {
  await ready(page);
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(350);
}

/** The page is drawn, and nothing in it waits for an answer; what waits for the person may go on turning. */
async function ready(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const waiting = [...document.querySelectorAll('.ant-skeleton, .ant-spin-spinning, [aria-busy="true"]')];
    return document.getElementById('root')?.childElementCount && waiting.every((element) => element.closest('[data-testid=login-wait]'));
  });
}
