/** What the operator lets this tenant's plugins do and use. */
import { useScope } from '@/api/scope';
import { useConsole } from '@/app/console';
import { CeilingsInTenant, OwnTerms, PluginBudgetSection, Trust } from '@/features/plugins/limits';
import { useT } from '@/i18n';
import { Page } from '@/shared/ui/page';
import { EmptyState } from '@/shared/ui/states';
import { useTenant } from './layout';

export function TenantLimits() {
  const { t } = useT();
  const tenant = useTenant();
  const scope = useScope();
  // Limits are the platform's to set: its own API, not the scoped one.
  const { api } = useConsole().handle;
  return (
    <Page title={t('limits.tab')} description={t('limits.description')}>
      {scope.can('platform.plugin:read') ? (
        <div className="split">
          <div className="stack loose">
            <PluginBudgetSection plain />
            <CeilingsInTenant api={api} tenant={tenant} />
          </div>
          <div className="stack loose">
            <Trust api={api} tenant={tenant} />
            <OwnTerms api={api} tenant={tenant} />
          </div>
        </div>
      ) : (
        <EmptyState text={t('problem_next.permission_denied')} />
      )}
    </Page>
  );
}
