/** What jsdom lacks and antd asks for. */
import { afterEach } from 'vitest';
import { cleanup, configure } from '@testing-library/react';

// Patience for busy machines; what is there is found at once.
configure({ asyncUtilTimeout: 5_000 });

Object.defineProperty(globalThis, 'matchMedia', {
  value: (query: string) => ({ matches: false, media: query, addEventListener() {}, removeEventListener() {}, addListener() {}, removeListener() {} }),
});
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
} as never;
localStorage.setItem('aistack.locale', 'en');
afterEach(cleanup);
