/** A tenant's own plugin terms over those of its plan. */
import { useQuery } from '@tanstack/react-query';
import { Button, Tag } from 'antd';
import { useState } from 'react';
import { take, type Api } from '@/api/client';
import type { PluginTerms, Tenant } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction, useUndo } from '@/shared/ui/act/action';
import { Section } from '@/shared/ui/page';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { TermsForm } from './form';
import { getPlanTerms, planKey } from './plans';
import { boundsNothing, inForce, TERMS } from './terms';
import { TermValue } from './value';

export function OwnTerms({ api, tenant }: { api: Api; tenant: Pick<Tenant, 'slug' | 'plan'> }) {
  const { t, tv } = useT();
  const scope = useScope();
  const undo = useUndo();
  const [editing, setEditing] = useState(false);
  const params = { params: { path: { tenant: tenant.slug } } };
  const key = ['root', 'tenant-terms', tenant.slug];
  const own = useQuery({ queryKey: key, queryFn: () => take(api.GET('/api/v1/tenants/{tenant}/plugin-terms', params)) });
  const plan = useQuery({ queryKey: planKey(tenant.plan), queryFn: () => getPlanTerms(api, tenant.plan) });
  const put = (body: PluginTerms) => take(api.PUT('/api/v1/tenants/{tenant}/plugin-terms', { ...params, body }));
  const clearNow = () => take<unknown>(api.DELETE('/api/v1/tenants/{tenant}/plugin-terms', params));
  // Budgets and cuts of the tenant's pages follow from these.
  const invalidate = [key, [scope.key, 'plugin-budget'], [scope.key, 'installations']];
  const back = (before: PluginTerms) => (): Promise<unknown> => (boundsNothing(before) ? clearNow() : put(before));
  const clear = useAction<PluginTerms>({
    run: clearNow,
    invalidate,
    after: (_, before) => undo(t('terms.own_cleared'), back(before)),
  });
  if (own.isError || plan.isError) return <ErrorState compact error={own.error ?? plan.error} retry={() => { void own.refetch(); void plan.refetch(); }} />;
  const [mine, its] = [own.data, plan.data];
  const bare = mine !== undefined && boundsNothing(mine);
  return (
    <Section
      title={t('terms.own')}
      extra={
        mine &&
        scope.can('platform.plugin:write') && (
          <>
            {!bare && (
              <Button size="small" loading={clear.isPending} onClick={() => clear.mutate(mine)} data-testid="terms-clear">
                {t('terms.own_clear')}
              </Button>
            )}
            <Button size="small" onClick={() => setEditing(true)} data-testid="terms-set">
              {bare ? t('terms.own_set') : t('action.edit')}
            </Button>
          </>
        )
      }
    >
      {!mine || !its ? (
        <PageSkeleton />
      ) : (
        <>
          <p className="muted">{bare ? t('terms.own_none', { plan: tv('plan', tenant.plan) }) : t('terms.own_some', { plan: tv('plan', tenant.plan) })}</p>
          <table className="plain" data-testid="tenant-terms">
            <tbody>
              {TERMS.map((name) => {
                const now = inForce(name, mine, its);
                return (
                  <tr key={name} data-term={name} data-own={now.own}>
                    <th scope="row">{t(`terms.${name}`)}</th>
                    <td>
                      <TermValue name={name} terms={now.own ? mine : its} /> {now.own && <Tag>{t('terms.own_tag')}</Tag>}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </>
      )}
      {editing && mine && its && (
        <TermsForm
          title={t('terms.own_title', { tenant: tenant.slug })}
          terms={mine}
          base={its}
          path={`/api/v1/tenants/${tenant.slug}/plugin-terms`}
          cli={['--tenant', tenant.slug]}
          put={put}
          invalidate={invalidate}
          onSaved={() => undo(t('terms.own_saved'), back(mine))}
          onClose={() => setEditing(false)}
        />
      )}
    </Section>
  );
}
