/** Which log a page reads: the platform's or the tenant's. Both answer in the same shape. */
import { take } from '@/api/client';
import type { AuditEvent, Page } from '@/api/models';
import { useScope } from '@/api/scope';
import type { ListQuery } from '@/shared/table/server-table';

export function useAuditLoad(): (query: ListQuery) => Promise<Page<AuditEvent>> {
  const scope = useScope();
  if (scope.realm === 'operator' && scope.apiBase === '') return (query) => take(scope.api.GET('/api/v1/platform/audit-events', { params: { query } }));
  return (query) => take(scope.api.GET('/api/v1/audit-events', { params: { query } }));
}

/** Where an event's target can be looked at, if the console has a page for it. */
export function targetPath(kind: string, id: string, platform: boolean): string | null {
  if (platform) {
    if (kind === 'tenant') return `/tenants/${id}`;
    if (kind === 'plugin' || kind === 'plugin_version') return `/plugins/${id}`;
    return null;
  }
  if (kind === 'order') return `/orders/${id}`;
  if (kind === 'installation') return `/plugins/${id}`;
  return null;
}
