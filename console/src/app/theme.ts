/** Light and dark: one accent, hairline borders, no shadows; the same tokens feed antd, our own CSS and the charts. */
import { theme as antd, type ThemeConfig } from 'antd';
import { useSyncExternalStore } from 'react';

export type ThemeChoice = 'light' | 'dark' | 'system';
export type ThemeName = 'light' | 'dark';

const STORAGE_KEY = 'aistack.theme';
const dark = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : null;
const listeners = new Set<() => void>();

function saved(): ThemeChoice {
  try {
    const value = localStorage.getItem(STORAGE_KEY);
    if (value === 'light' || value === 'dark') return value;
  } catch {
    // Storage can be switched off; the system's preference decides then.
  }
  return 'system';
}

let choice: ThemeChoice = saved();

export function getTheme(): ThemeName {
  if (choice !== 'system') return choice;
  return dark?.matches ? 'dark' : 'light';
}

function apply(): void {
  document.documentElement.dataset.theme = getTheme();
  for (const notify of listeners) notify();
}

dark?.addEventListener('change', apply);

export function setThemeChoice(next: ThemeChoice): void {
  choice = next;
  try {
    if (next === 'system') localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, next);
  } catch {
    // Not remembered then.
  }
  apply();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): { name: ThemeName; choice: ThemeChoice } {
  const name = useSyncExternalStore(subscribe, getTheme);
  const current = useSyncExternalStore(subscribe, () => choice);
  return { name, choice: current };
}

const FONT =
  'ui-sans-serif, -apple-system, BlinkMacSystemFont, "Segoe UI", "Noto Sans", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans SC", "Noto Sans CJK SC", sans-serif';
export const MONO_FONT = 'ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

const palette = {
  light: {
    primary: '#0b6685',
    bg: '#f5f6f7',
    surface: '#ffffff',
    raised: '#ffffff',
    border: '#dfe3e6',
    borderSoft: '#eaedef',
    text: '#182026',
    text2: '#56626b',
    text3: '#65717a',
    ok: '#1a7f4b',
    warn: '#9a6400',
    bad: '#c0362c',
    fill: '#eef1f3',
  },
  dark: {
    primary: '#4bb3d1',
    bg: '#0e1316',
    surface: '#141a1e',
    raised: '#1a2126',
    border: '#2a343b',
    borderSoft: '#212a30',
    text: '#e4e9ec',
    text2: '#a1adb5',
    text3: '#84919a',
    ok: '#4cc38a',
    warn: '#e0a83f',
    bad: '#f0766c',
    fill: '#1d252a',
  },
} as const;

export type Palette = Record<keyof (typeof palette)['light'], string>;

export function colors(name: ThemeName): Palette {
  return palette[name];
}

/** Eight hues that stay apart for colour-blind readers (Okabe and Ito, adjusted for contrast on both grounds). */
export const SERIES: Record<ThemeName, string[]> = {
  light: ['#0b6685', '#c8651b', '#2f8f5b', '#8a4f9e', '#b08900', '#3f6fd1', '#a83256', '#6b7780'],
  dark: ['#4bb3d1', '#f0995c', '#5fc795', '#c593d6', '#e3c04a', '#87abf5', '#ec87a5', '#9aa6ae'],
};

/** `share` of one colour in another. */
function mix(colour: string, ground: string, share: number): string {
  const part = (hex: string, at: number) => Number.parseInt(hex.slice(at, at + 2), 16);
  return `#${[1, 3, 5].map((at) => Math.round(part(colour, at) * share + part(ground, at) * (1 - share)).toString(16).padStart(2, '0')).join('')}`;
}

export function themeConfig(name: ThemeName): ThemeConfig {
  const c = palette[name];
  return {
    algorithm: name === 'dark' ? antd.darkAlgorithm : antd.defaultAlgorithm,
    cssVar: { key: 'aistack' },
    token: {
      colorPrimary: c.primary,
      colorInfo: c.primary,
      colorLink: c.primary,
      colorSuccess: c.ok,
      colorWarning: c.warn,
      colorError: c.bad,
      // Made from these dark greens and reds, the derived grounds would be muddy.
      colorSuccessBg: mix(c.ok, c.surface, 0.08),
      colorSuccessBorder: mix(c.ok, c.surface, 0.35),
      colorWarningBg: mix(c.warn, c.surface, 0.08),
      colorWarningBorder: mix(c.warn, c.surface, 0.35),
      colorErrorBg: mix(c.bad, c.surface, 0.06),
      colorErrorBorder: mix(c.bad, c.surface, 0.35),
      colorInfoBg: mix(c.primary, c.surface, 0.08),
      colorInfoBorder: mix(c.primary, c.surface, 0.35),
      colorBgLayout: c.bg,
      colorBgContainer: c.surface,
      colorBgElevated: c.raised,
      colorBorder: c.border,
      colorBorderSecondary: c.borderSoft,
      colorText: c.text,
      colorTextSecondary: c.text2,
      colorTextTertiary: c.text3,
      colorTextDescription: c.text2,
      colorTextPlaceholder: c.text3,
      fontFamily: FONT,
      fontFamilyCode: MONO_FONT,
      fontSize: 13,
      fontSizeHeading1: 20,
      fontSizeHeading2: 15,
      lineHeight: 1.5385,
      controlHeight: 30,
      controlHeightSM: 24,
      controlHeightLG: 36,
      borderRadius: 5,
      borderRadiusLG: 7,
      borderRadiusSM: 4,
      boxShadow: '0 6px 24px rgb(0 0 0 / 14%)',
      motionDurationMid: '0.12s',
      motionDurationSlow: '0.18s',
      wireframe: false,
    },
    components: {
      Button: { fontWeight: 500, primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none', primaryColor: name === 'dark' ? '#06222b' : '#ffffff' },
      Table: {
        headerBg: 'transparent',
        headerColor: c.text2,
        headerSplitColor: 'transparent',
        cellPaddingBlockSM: 7,
        cellPaddingInlineSM: 10,
        rowHoverBg: c.fill,
        borderColor: c.borderSoft,
        headerSortActiveBg: 'transparent',
        headerSortHoverBg: c.fill,
        bodySortBg: 'transparent',
      },
      Tabs: { horizontalItemPaddingSM: '8px 0', horizontalItemGutter: 22, horizontalMargin: '0 0 16px 0', titleFontSizeSM: 13 },
      Form: { itemMarginBottom: 16, labelColor: c.text, verticalLabelPadding: '0 0 4px' },
      Modal: { titleFontSize: 15 },
      Drawer: { padding: 18, paddingLG: 18 },
      Tag: { defaultBg: c.fill, defaultColor: c.text2 },
      Descriptions: { itemPaddingBottom: 8, labelColor: c.text2 },
      Input: { activeShadow: `0 0 0 2px color-mix(in srgb, ${c.primary} 18%, transparent)` },
    },
  };
}
