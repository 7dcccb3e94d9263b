/** A page's surroundings with a server made of a function. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import { App, ConfigProvider } from 'antd';
import type { ReactElement } from 'react';
import { vi } from 'vitest';
import { createApi } from '@/api/client';
import type { Session } from '@/api/models';
import { makeScope, ScopeProvider } from '@/api/scope';
import { parseSearch, stringifySearch } from '@/shared/table/state';

export interface Asked {
  method: string;
  path: string;
  body: unknown;
}

export type Answer = (asked: Asked) => { status?: number; body: unknown };

/** Renders an element as somebody with these permissions sees it; returns what is asked of the server. */
export function renderPage(element: ReactElement, answer: Answer, { realm = 'operator', permissions = [] as string[] } = {}): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url);
    const text = await request.text();
    const one = { method: request.method, path: url.pathname + url.search, body: text ? (JSON.parse(text) as unknown) : undefined };
    asked.push(one);
    const { status = 200, body } = answer(one);
    return new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' } });
  });
  const scope = makeScope(createApi('http://console.localhost'), { realm, permissions } as unknown as Session, '');
  const root = createRootRoute({ component: () => element });
  const router = createRouter({ routeTree: root, history: createMemoryHistory({ initialEntries: ['/'] }), parseSearch, stringifySearch });
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      {/* jsdom ends no animation: what moves would never be gone. */}
      <ConfigProvider theme={{ token: { motion: false } }}>
      <App>
        <ScopeProvider scope={scope}>
          <RouterProvider router={router as never} />
        </ScopeProvider>
      </App>
      </ConfigProvider>
    </QueryClientProvider>,
  );
  return asked;
}
