import { describe, expect, it } from 'vitest';
import { setLocale, translate, translateValue, localized } from '@/i18n';
import { en } from '@/i18n/en';
import { formatMessage } from '@/i18n/format';
import { zh } from '@/i18n/zh';

const placeholders = (text: string) => [...new Set([...text.matchAll(/\{(\w+)/g)].map((m) => m[1]))].sort();

describe('catalogue', () => {
  it('has the same keys in both languages', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });

  it('has no empty text', () => {
    for (const [key, text] of [...Object.entries(en), ...Object.entries(zh)]) expect(text.trim(), key).not.toBe('');
  });

  it('uses the same placeholders in both languages', () => {
    for (const [key, text] of Object.entries(en)) expect(placeholders(zh[key as keyof typeof en]), key).toEqual(placeholders(text));
  });

  it('is really translated: Chinese texts hold Chinese, English ones none', () => {
    const sameOnPurpose = new Set(['palette.language', 'store.sqlite', 'store.postgres']);
    for (const [key, text] of Object.entries(zh)) if (!sameOnPurpose.has(key)) expect(text, key).toMatch(/[\u4e00-\u9fff]/);
    for (const [key, text] of Object.entries(en)) if (!sameOnPurpose.has(key)) expect(text, key).not.toMatch(/[\u4e00-\u9fff]/);
  });

  it('knows every problem code the console explains', () => {
    const titles = Object.keys(en).filter((k) => k.startsWith('problem.')).map((k) => k.slice('problem.'.length));
    for (const key of Object.keys(en).filter((k) => k.startsWith('problem_next.') && k !== 'problem_next.default')) expect(titles, key).toContain(key.slice('problem_next.'.length));
  });
});

describe('messages', () => {
  it('inserts values and formats numbers by language', () => {
    expect(formatMessage('{n} in all', { n: 12345 }, 'en')).toBe('12,345 in all');
    expect(formatMessage('{name} is now {role}', { name: 'Ada', role: 'Owner' }, 'en')).toBe('Ada is now Owner');
  });

  it('chooses the plural', () => {
    expect(formatMessage('{n|# order|# orders}', { n: 1 }, 'en')).toBe('1 order');
    expect(formatMessage('{n|# order|# orders}', { n: 0 }, 'en')).toBe('0 orders');
    expect(formatMessage('{n|# order|# orders}', { n: 2000 }, 'en')).toBe('2,000 orders');
  });

  it('leaves a placeholder without a value visible instead of hiding the mistake', () => {
    expect(formatMessage('Hello {name}', {}, 'en')).toBe('Hello {name}');
  });

  it('switches the language for everybody', () => {
    setLocale('zh');
    expect(translate('action.cancel')).toBe('取消');
    expect(document.documentElement.lang).toBe('zh-CN');
    setLocale('en');
    expect(translate('action.cancel')).toBe('Cancel');
  });

  it('falls back to the value for what the catalogue does not know', () => {
    expect(translateValue('status', 'active')).toBe('Active');
    expect(translateValue('status', 'brand_new')).toBe('brand_new');
  });

  it('picks the reader’s language from a plugin’s texts', () => {
    const map = { en: 'Alipay', 'zh-CN': '支付宝' };
    expect(localized(map, 'zh')).toBe('支付宝');
    expect(localized(map, 'en')).toBe('Alipay');
    expect(localized({ 'zh-CN': '支付宝' }, 'en')).toBe('支付宝');
    expect(localized(undefined, 'en', 'acme.alipay')).toBe('acme.alipay');
  });
});
