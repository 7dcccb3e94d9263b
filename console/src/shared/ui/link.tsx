/** In-console links by path. Paths are built by `scope.to`, so they are strings rather than the router's typed patterns. */
import { Link as RouterLink, useRouter } from '@tanstack/react-router';
import { useCallback, type ComponentProps, type ReactNode } from 'react';

type Props = Omit<ComponentProps<'a'>, 'href'> & { to: string; search?: Record<string, string>; children: ReactNode };

export function Link({ to, search, children, ...rest }: Props) {
  return (
    // The router would mark every link to a page above this one as the current page as well.
    <RouterLink to={to as never} search={(search ?? {}) as never} preload="intent" activeOptions={{ exact: true, includeSearch: false }} activeProps={{}} {...(rest as object)}>
      {children}
    </RouterLink>
  );
}

export function useGo(): (to: string, search?: Record<string, string>, replace?: boolean) => void {
  const router = useRouter();
  return useCallback(
    (to, search = {}, replace = false) => {
      void router.navigate({ to: to as never, search: search as never, replace });
    },
    [router],
  );
}
