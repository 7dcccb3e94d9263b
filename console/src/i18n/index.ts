/** The typed message catalogue: `useT()` in components, `translate` where no component is at hand. */
import { useCallback, useSyncExternalStore } from 'react';
import { en } from './en';
import { formatMessage, type Locale, type Placeholders, type Values } from './format';
import { zh } from './zh';

export type { Locale } from './format';
export type MessageKey = keyof typeof en;
type ArgsOf<K extends MessageKey> = [Placeholders<(typeof en)[K]>] extends [never]
  ? []
  : [values: Record<Placeholders<(typeof en)[K]>, string | number>];

const catalogues: Record<Locale, Record<MessageKey, string>> = { en, zh };
const STORAGE_KEY = 'aistack.locale';

function initialLocale(): Locale {
  try {
    const saved = localStorage.getItem(STORAGE_KEY);
    if (saved === 'en' || saved === 'zh') return saved;
  } catch {
    // Storage can be switched off; the browser's language decides then.
  }
  const wanted = typeof navigator === 'undefined' ? [] : (navigator.languages ?? [navigator.language]);
  return wanted.find((l) => /^(en|zh)/i.test(l))?.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

let current: Locale = initialLocale();
const listeners = new Set<() => void>();

export function getLocale(): Locale {
  return current;
}

export function setLocale(locale: Locale): void {
  current = locale;
  try {
    localStorage.setItem(STORAGE_KEY, locale);
  } catch {
    // Not remembered then; the choice still holds for this tab.
  }
  document.documentElement.lang = locale === 'zh' ? 'zh-CN' : 'en';
  for (const notify of listeners) notify();
}

export function translate<K extends MessageKey>(key: K, ...args: ArgsOf<K>): string {
  return formatMessage(catalogues[current][key], (args[0] ?? {}) as Values, current);
}

/** The text of a value of a closed set (`status.active`), or the value itself when the catalogue does not know it. */
export function translateValue(prefix: string, value: string): string {
  const text = (catalogues[current] as Record<string, string>)[`${prefix}.${value}`];
  return text ?? value;
}

export type Translate = typeof translate;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useLocale(): Locale {
  return useSyncExternalStore(subscribe, getLocale);
}

export function useT(): { t: Translate; tv: typeof translateValue; locale: Locale } {
  const locale = useLocale();
  // A new identity per language, so that memoised components see the change.
  const t = useCallback(((key, ...args) => translate(key, ...args)) as Translate, [locale]);
  const tv = useCallback((prefix: string, value: string) => translateValue(prefix, value), [locale]);
  return { t, tv, locale };
}

/** Picks a text from a `{en, "zh-CN"}` map as plugins ship them. */
export function localized(map: unknown, locale: Locale, fallback = ''): string {
  if (typeof map === 'string') return map;
  if (!map || typeof map !== 'object') return fallback;
  const texts = map as Record<string, unknown>;
  const order = locale === 'zh' ? ['zh-CN', 'zh', 'zh-Hans', 'en'] : ['en', 'en-US', 'zh-CN'];
  for (const tag of order) if (typeof texts[tag] === 'string') return texts[tag] as string;
  const first = Object.values(texts).find((v) => typeof v === 'string');
  return (first as string | undefined) ?? fallback;
}
