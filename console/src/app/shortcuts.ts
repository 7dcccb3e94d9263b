/** Keys that work on every page. */
import { useEffect, useRef } from 'react';

export interface Shortcuts {
  onPalette: () => void;
  onHelp: () => void;
  onGo: (path: string) => void;
  realm: 'operator' | 'tenant';
}

/** `g` and then a letter, as in many tools for people who live in them. */
export const GO_KEYS: Record<'operator' | 'tenant', Record<string, string>> = {
  operator: { o: '/', t: '/tenants', p: '/plugins', h: '/plugins/health', r: '/routes', j: '/jobs', a: '/audit' },
  tenant: { h: '/', m: '/members', p: '/plugins', u: '/usage', q: '/quotas', o: '/orders', r: '/reports', a: '/audit' },
};

export function useShortcuts(options: Shortcuts): void {
  const latest = useRef(options);
  latest.current = options;
  useEffect(() => {
    let pendingGo = 0;
    const onKey = (e: KeyboardEvent) => {
      const o = latest.current;
      if ((e.metaKey || e.ctrlKey) && e.key.toLowerCase() === 'k') {
        e.preventDefault();
        o.onPalette();
        return;
      }
      const target = e.target as HTMLElement;
      if (e.metaKey || e.ctrlKey || e.altKey || target.closest('input,textarea,select,[contenteditable=true],[role=combobox],[role=dialog]')) return;
      if (e.key === '/') {
        const search = document.querySelector<HTMLInputElement>('[data-table-search]');
        if (search) {
          e.preventDefault();
          search.focus();
        }
      } else if (e.key === '?') o.onHelp();
      else if (e.key === 'g') pendingGo = performance.now();
      else if (pendingGo && performance.now() - pendingGo < 1200) {
        pendingGo = 0;
        const path = GO_KEYS[o.realm][e.key];
        if (path) {
          e.preventDefault();
          o.onGo(path);
        }
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}
