/** The tenant's first page. */
import { useQuery } from '@tanstack/react-query';
import { take } from '@/api/client';
import { useScope } from '@/api/scope';
import { useConsole } from '@/app/console';
import { RecentEvents } from '@/features/audit/recent';
import { Checklist } from '@/features/overview/checklist';
import { QuotaBars } from '@/features/usage/quota-bars';
import { useT } from '@/i18n';
import { SeriesSection } from '@/shared/charts/series';
import { formatMoney } from '@/shared/format';
import { periodStart } from '@/shared/table/state';
import { Link } from '@/shared/ui/link';
import { Page, Section } from '@/shared/ui/page';
import { PageSkeleton } from '@/shared/ui/states';
import { Status } from '@/shared/ui/status';

export function HomePage() {
  const { t, tv } = useT();
  const { meta } = useConsole();
  const scope = useScope();
  const canPlugins = scope.can('plugin:read');
  const canUsers = scope.can('user:read');
  const canOrders = scope.can('order:read');
  const installations = useQuery({ queryKey: [scope.key, 'installations', 'kinds'], queryFn: () => take(scope.api.GET('/api/v1/installations', { params: { query: { limit: 200 } } })), enabled: canPlugins });
  const users = useQuery({ queryKey: [scope.key, 'members', 'count'], queryFn: () => take(scope.api.GET('/api/v1/users', { params: { query: { limit: 2 } } })), enabled: canUsers });
  const orders = useQuery({ queryKey: [scope.key, 'orders', 'open'], queryFn: () => take(scope.api.GET('/api/v1/orders', { params: { query: { limit: 20 } } })), enabled: canOrders });
  const usage = useQuery({
    queryKey: [scope.key, 'usage', 'api.calls', 'home'],
    queryFn: () => take(scope.api.GET('/api/v1/usage', { params: { query: { meter: 'api.calls', bucket: 'day', from: periodStart('30d', Date.now()) } } })),
    enabled: scope.can('usage:read'),
  });
  const has = (kind: string) => installations.data?.items.some((i) => i.kind === kind) ?? true;
  const open = (orders.data?.items ?? []).filter((o) => o.status === 'draft' || o.status === 'pending' || o.status === 'unknown');
  return (
    <Page title={meta.tenant?.name ?? t('nav.home')} description={t('home.description')}>
      {scope.can('plugin:write') && installations.data && (
        <Checklist
          title={t('overview.first_steps')}
          steps={[
            { done: has('identity'), label: t('home.step_login'), to: scope.to('/plugins/enable') },
            { done: has('payment'), label: t('home.step_payment'), to: scope.to('/plugins/enable') },
            { done: has('report'), label: t('home.step_report'), to: scope.to('/plugins/enable') },
            { done: (users.data?.items.length ?? 2) > 1, label: t('home.step_member'), to: scope.to('/members') },
          ]}
        />
      )}
      <div className="split">
        <div className="stack loose">
          {usage.data?.total === 0 && (
            <Section title={t('home.calls')}>
              <p className="muted">{t('usage.empty')}</p>
            </Section>
          )}
          {usage.data && usage.data.total > 0 && (
            <SeriesSection
              title={t('home.calls')}
              extra={<Link to={scope.to('/usage')}>{t('nav.usage')}</Link>}
              points={usage.data.points}
              unit={usage.data.unit}
              label={tv('meter', 'api.calls')}
              bucket="day"
              height={200}
            />
          )}
          {usage.isPending && usage.isFetching && <PageSkeleton />}
          {canOrders && (
            <Section title={t('home.open_orders')} extra={<Link to={scope.to('/orders')}>{t('nav.orders')}</Link>}>
              {open.length === 0 ? (
                <p className="muted">{t('home.no_orders')}</p>
              ) : (
                <ul className="plain-list">
                  {open.map((o) => (
                    <li key={o.id} className="row spread">
                      <Link to={scope.to(`/orders/${o.id}`)}>
                        #{o.number} {o.description}
                      </Link>
                      <span className="row">
                        <Status value={o.status} />
                        <b className="num">{formatMoney(o.amount)}</b>
                      </span>
                    </li>
                  ))}
                </ul>
              )}
            </Section>
          )}
        </div>
        <div className="stack loose">
          {scope.can('usage:read') && (
            <Section title={t('nav.quotas')}>
              <QuotaBars />
            </Section>
          )}
          {scope.can('audit:read') && (
            <Section title={t('audit.recent')}>
              <RecentEvents to={scope.to('/audit')} limit={8} />
            </Section>
          )}
        </div>
      </div>
    </Page>
  );
}
