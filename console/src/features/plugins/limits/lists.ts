/** Whole lists that the pages about limits look things up in. */
import { useQuery } from '@tanstack/react-query';
import { take, type Api } from '@/api/client';
import { useScope } from '@/api/scope';
import { fetchAll } from '@/shared/table/csv';

/** Every plugin version of this host; `api` is the platform's own. */
export function useCatalogue(api: Api) {
  return useQuery({ queryKey: ['root', 'plugins', 'all'], queryFn: () => fetchAll((cursor) => take(api.GET('/api/v1/plugins', { params: { query: { limit: 200, cursor } } }))) });
}

/** Everything that is enabled in the tenant one looks at, for those who may see it. */
export function useEnabled() {
  const scope = useScope();
  const enabled = scope.can('plugin:read');
  return useQuery({ queryKey: [scope.key, 'installations', 'all'], queryFn: () => fetchAll((cursor) => take(scope.api.GET('/api/v1/installations', { params: { query: { limit: 200, cursor } } }))), enabled });
}
