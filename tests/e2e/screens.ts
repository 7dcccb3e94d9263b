// Screenshots of a page in both languages and both themes, into results/screenshots/.
import { resolve } from 'node:path';
import { expect, type Page } from '@playwright/test';

const folder = resolve(import.meta.dirname, 'results/screenshots');

/** A text that stands on every page of the frame or the gate, to see that the language has changed. */
const languages = [
  { locale: 'en', html: 'en' },
  { locale: 'zh', html: 'zh-CN' },
] as const;

/** Shoots the page as it is in English and Chinese; pages that keep state over a reload only. */
export async function shoot(page: Page, name: string, theme: 'light' | 'dark' = 'light'): Promise<void> {
  for (const { locale, html } of languages) {
    await page.evaluate(([l, t]) => {
      localStorage.setItem('aistack.locale', l);
      localStorage.setItem('aistack.theme', t);
    }, [locale, theme] as const);
    await page.reload();
    await expect(page.locator('html')).toHaveAttribute('lang', html);
    await settled(page);
    await page.screenshot({ path: resolve(folder, `${name}-${locale}${theme === 'dark' ? '-dark' : ''}.png`) });
  }
  await page.evaluate(() => {
    localStorage.setItem('aistack.locale', 'en');
    localStorage.setItem('aistack.theme', 'light');
  });
  await page.reload();
}

/** Waits until nothing loads and nothing moves. The live stream stays open, so "network idle" never comes. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => !document.querySelector('.ant-skeleton, .ant-spin-spinning, [aria-busy="true"]'));
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(400);
}
