/** What jsdom lacks and antd asks for. */
import { afterEach } from 'vitest';
import { cleanup } from '@testing-library/react';

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
