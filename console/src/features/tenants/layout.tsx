/** One tenant: its head and tabs. Everything below the tabs talks to the tenant's own API through `/t/{slug}`. */
import { MoreOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Outlet, useParams, useRouterState } from '@tanstack/react-router';
import { Button, Dropdown, Tabs, Tag } from 'antd';
import { createContext, Suspense, useContext, useEffect, useMemo, useState } from 'react';
import { createApi, take } from '@/api/client';
import type { Tenant } from '@/api/models';
import { makeScope, ScopeProvider, useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { useGo } from '@/shared/ui/link';
import { ObjectHeader } from '@/shared/ui/object-header';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { EndingDialogs, EndingNotice, endings, type Ending } from './ending';

const TenantContext = createContext<Tenant | null>(null);

export function useTenant(): Tenant {
  const tenant = useContext(TenantContext);
  if (!tenant) throw new Error('useTenant needs a TenantLayout above it');
  return tenant;
}

/** Operators who only look at the platform see what they may see of a tenant. */
const TABS = [
  { key: '', label: 'tenants.tab_summary', permission: null },
  { key: 'usage', label: 'nav.usage', permission: 'usage:read' },
  { key: 'quotas', label: 'nav.quotas', permission: 'usage:read' },
  { key: 'plugins', label: 'nav.plugins', permission: 'plugin:read' },
  { key: 'limits', label: 'limits.tab', permission: 'platform.plugin:read' },
  { key: 'members', label: 'nav.members', permission: 'user:read' },
  { key: 'domains', label: 'nav.domains', permission: 'tenant:read' },
  { key: 'orders', label: 'nav.orders', permission: 'order:read' },
  { key: 'reports', label: 'nav.reports', permission: 'report:read' },
  { key: 'audit', label: 'nav.audit', permission: 'audit:read' },
] as const;

export function TenantLayout() {
  const { t, tv } = useT();
  const platform = useScope();
  const go = useGo();
  const { slug } = useParams({ strict: false }) as { slug: string };
  const path = useRouterState({ select: (s) => s.location.pathname });
  const [dialog, setDialog] = useState<'suspend' | 'activate' | Ending | null>(null);

  const tenant = useQuery({
    queryKey: [platform.key, 'tenants', slug],
    queryFn: () => take(platform.api.GET('/api/v1/tenants/{tenant}', { params: { path: { tenant: slug } } })),
  });
  const handle = useMemo(() => createApi(`/t/${slug}`), [slug]);
  const session = useQuery({
    queryKey: [handle.base, 'session'],
    queryFn: async () => {
      const answer = await take(handle.api.GET('/api/v1/session'));
      handle.csrf.token = answer.csrf_token;
      return answer;
    },
    staleTime: 60_000,
    enabled: tenant.data?.slug === slug,
  });
  // Links may name a tenant by id; its own API is reached by slug only.
  const known = tenant.data?.slug;
  useEffect(() => {
    if (known && known !== slug) go(path.replace(`/tenants/${slug}`, `/tenants/${known}`), {}, true);
  }, [known, slug, path, go]);
  const scope = useMemo(() => (session.data ? makeScope(handle, session.data, `/tenants/${slug}`) : null), [session.data, handle, slug]);
  const change = useAction({
    run: (input: { verb: 'suspend' | 'activate'; reason: string }) =>
      take(
        platform.api.POST(input.verb === 'suspend' ? '/api/v1/tenants/{tenant}/suspend' : '/api/v1/tenants/{tenant}/activate', {
          params: { path: { tenant: slug } },
          body: { reason: input.reason },
        }),
      ),
    invalidate: [[platform.key, 'tenants'], [platform.key, 'overview']],
    done: (r) => t('tenants.changed', { status: tv('status', r.status) }),
    after: () => setDialog(null),
  });

  if (tenant.isError) return <ErrorState error={tenant.error} retry={() => void tenant.refetch()} />;
  if (session.isError) return <ErrorState error={session.error} retry={() => void session.refetch()} />;
  if (!tenant.data || !scope) return <PageSkeleton />;
  const data = tenant.data;
  const active = path.split('/')[3] ?? '';
  const suspended = data.status === 'suspended';

  return (
    <TenantContext.Provider value={data}>
      <ObjectHeader
        title={data.name}
        name={data.name}
        id={data.id}
        status={data.status}
        tags={
          <>
            <Tag>{tv('plan', data.plan)}</Tag>
            {data.demo && <Tag>{t('tenants.demo')}</Tag>}
          </>
        }
        meta={
          <a href={`/t/${data.slug}/console/`} target="_blank" rel="noreferrer">
            {new URL(data.url, location.href).host}
          </a>
        }
        actions={
          platform.can('platform.tenant:write') && (
            <Dropdown
              trigger={['click']}
              menu={{
                items: [
                  ...(suspended ? [{ key: 'activate', label: t('tenants.activate') }] : data.status === 'closing' ? [] : [{ key: 'suspend', label: t('tenants.suspend'), danger: true }]),
                  ...endings(data.status).map((key) => ({ key, label: t(`ending.${key}`), danger: key !== 'restore' })),
                ],
                onClick: ({ key }) => setDialog(key as Ending),
              }}
            >
              <Button icon={<MoreOutlined />} aria-label={t('action.more')} data-testid="tenant-actions" />
            </Dropdown>
          )
        }
      />
      <EndingNotice tenant={data} />
      <Tabs size="small" activeKey={active} onChange={(key) => go(`/tenants/${slug}${key ? `/${key}` : ''}`)} items={TABS.filter((tab) => tab.permission === null || scope.can(tab.permission)).map((tab) => ({ key: tab.key, label: t(tab.label) }))} />
      <ScopeProvider scope={scope}>
        <div className="embedded">
          <Suspense fallback={<PageSkeleton />}>
            <Outlet />
          </Suspense>
        </div>
      </ScopeProvider>
      <Confirm
        open={dialog === 'suspend'}
        title={t('tenants.suspend_title', { name: data.name })}
        consequences={t('tenants.suspend_text', { n: data.users ?? 0 })}
        name={data.slug}
        reason
        confirmLabel={t('tenants.suspend')}
        busy={change.isPending}
        onConfirm={(reason) => change.mutate({ verb: 'suspend', reason })}
        onCancel={() => setDialog(null)}
      />
      <Confirm
        open={dialog === 'activate'}
        title={t('tenants.activate_title', { name: data.name })}
        consequences={t('tenants.activate_text')}
        reason
        danger={false}
        confirmLabel={t('tenants.activate')}
        busy={change.isPending}
        onConfirm={(reason) => change.mutate({ verb: 'activate', reason })}
        onCancel={() => setDialog(null)}
      />
      <EndingDialogs tenant={data} open={dialog === 'suspend' || dialog === 'activate' ? null : dialog} onClose={() => setDialog(null)} />
    </TenantContext.Provider>
  );
}
