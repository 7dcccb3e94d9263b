/** Numbers, money, bytes and durations as people read them, by `Intl` and in the console's language. */
import { getLocale, translate } from '@/i18n';

const tag = () => (getLocale() === 'zh' ? 'zh-CN' : 'en-US');

export function formatNumber(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(tag(), options).format(value);
}

/** `a, b, c`, as the language joins them. */
export function formatList(items: string[]): string {
  return new Intl.ListFormat(tag(), { style: 'narrow', type: 'conjunction' }).format(items);
}

export function formatCompact(value: number): string {
  return Math.abs(value) < 10_000 ? formatNumber(value) : formatNumber(value, { notation: 'compact', maximumFractionDigits: 1 });
}

/** The number of minor digits of a currency: 2 for USD, 0 for JPY, 3 for BHD. */
export function currencyDigits(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

export function formatMoney(money: { minor: number; currency: string } | null | undefined): string {
  if (!money) return '–';
  const digits = currencyDigits(money.currency);
  const value = money.minor / 10 ** digits;
  try {
    return new Intl.NumberFormat(tag(), { style: 'currency', currency: money.currency, currencyDisplay: 'narrowSymbol' }).format(value);
  } catch {
    return `${value.toFixed(digits)} ${money.currency}`;
  }
}

/** `"12.5"` in USD → 1250; `null` when it is not an amount or has too many digits. No floating point on the way. */
export function parseMoney(text: string, currency: string): number | null {
  const digits = currencyDigits(currency);
  const match = /^(\d{1,12})(?:\.(\d+))?$/.exec(text.trim());
  if (!match) return null;
  const fraction = match[2] ?? '';
  if (fraction.length > digits) return null;
  return Number(match[1] + fraction.padEnd(digits, '0'));
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${formatNumber(value, { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 })} ${units[unit]}`;
}

export function formatDuration(seconds: number): string {
  const zh = getLocale() === 'zh';
  const parts: [number, string][] = [
    [86_400, zh ? '天' : 'd'],
    [3600, zh ? '小时' : 'h'],
    [60, zh ? '分' : 'min'],
    [1, zh ? '秒' : 's'],
  ];
  const out: string[] = [];
  let rest = Math.max(0, Math.round(seconds));
  for (const [size, unit] of parts) {
    if (rest >= size || (size === 1 && out.length === 0)) {
      out.push(`${Math.floor(rest / size)} ${unit}`);
      rest %= size;
      if (out.length === 2) break;
    }
  }
  return out.join(' ');
}

/** Micro-seconds as µs, ms or s. */
export function formatMicros(us: number): string {
  if (us < 1000) return `${formatNumber(us)} µs`;
  if (us < 1_000_000) return `${formatNumber(us / 1000, { maximumFractionDigits: 1 })} ms`;
  return `${formatNumber(us / 1_000_000, { maximumFractionDigits: 2 })} s`;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

export function formatRelative(at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const format = new Intl.RelativeTimeFormat(tag(), { numeric: 'auto' });
  for (const [unit, size] of STEPS) if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  return translate('word.just_now');
}

export function formatAbsolute(at: Date, timeZone?: string): string {
  return new Intl.DateTimeFormat(tag(), { dateStyle: 'medium', timeStyle: 'long', timeZone, hourCycle: 'h23' }).format(at);
}

export function formatDate(at: Date, timeZone?: string): string {
  return new Intl.DateTimeFormat(tag(), { dateStyle: 'medium', timeZone }).format(at);
}
