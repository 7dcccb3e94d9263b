/** Providers, and the decision which console this is: the operator's or a tenant's. */
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { App as AntApp, ConfigProvider } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import { useMemo } from 'react';
import { createApi, take } from '@/api/client';
import { asProblem } from '@/api/problem';
import { realmOf } from '@/api/scope';
import { useLocale } from '@/i18n';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { ConsoleProvider, locateConsole } from './console';
import { createConsoleRouter } from './router';
import { themeConfig, useTheme } from './theme';

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A refusal stays a refusal; only a server that could not be reached or is starting is asked again.
      retry: (count, error) => count < 2 && [0, 502, 503].includes(asProblem(error).status),
      refetchOnWindowFocus: true,
    },
  },
});

const place = locateConsole(location.pathname);
const handle = createApi(place.apiBase);

export function Root() {
  const locale = useLocale();
  const { name } = useTheme();
  const theme = useMemo(() => themeConfig(name), [name]);
  return (
    <ConfigProvider locale={locale === 'zh' ? zhCN : enUS} theme={theme} button={{ autoInsertSpace: false }} form={{ requiredMark: 'optional' }}>
      <AntApp component={false} notification={{ placement: 'bottomRight' }}>
        <QueryClientProvider client={client}>
          <Boot />
        </QueryClientProvider>
      </AntApp>
    </ConfigProvider>
  );
}

function Boot() {
  const meta = useQuery({ queryKey: ['meta'], queryFn: () => take(handle.api.GET('/api/v1/meta')), staleTime: Infinity });
  const realm = meta.data ? realmOf(meta.data.realm) : undefined;
  const router = useMemo(() => (realm ? createConsoleRouter(realm, place.basePath) : null), [realm]);
  if (meta.isError) {
    return (
      <main className="lone">
        <ErrorState error={meta.error} retry={() => void meta.refetch()} />
      </main>
    );
  }
  if (!meta.data || !realm || !router) {
    return (
      <main className="lone">
        <PageSkeleton />
      </main>
    );
  }
  return (
    <ConsoleProvider value={{ meta: { ...meta.data, realm }, handle, place }}>
      <RouterProvider router={router} />
    </ConsoleProvider>
  );
}
