/** What tenants on each plan may do and use with plugins, side by side. */
import { useQueries } from '@tanstack/react-query';
import { EditOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useState } from 'react';
import { take, type Api } from '@/api/client';
import type { PluginTerms } from '@/api/models';
import { useScope } from '@/api/scope';
import { PLANS } from '@/features/tenants/choices';
import { useT } from '@/i18n';
import { useAction, useUndo } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { Page, Section } from '@/shared/ui/page';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { TermsForm } from './form';
import { TERMS } from './terms';
import { TermValue } from './value';

export const planKey = (plan: string) => ['root', 'plan-terms', plan];

export function getPlanTerms(api: Api, plan: string): Promise<PluginTerms> {
  return take(api.GET('/api/v1/plans/{plan}/plugin-terms', { params: { path: { plan } } }));
}

export function PlansPage() {
  const { t, tv } = useT();
  const scope = useScope();
  const undo = useUndo();
  const [editing, setEditing] = useState<string | null>(null);
  // The plan asked about stays while the dialog fades.
  const [resetting, setResetting] = useState({ open: false, plan: '' });
  const answers = useQueries({ queries: PLANS.map((plan) => ({ queryKey: planKey(plan), queryFn: () => getPlanTerms(scope.api, plan) })) });
  const params = (plan: string) => ({ params: { path: { plan } } });
  const put = (plan: string, body: PluginTerms) => take(scope.api.PUT('/api/v1/plans/{plan}/plugin-terms', { ...params(plan), body }));
  const reset = useAction({
    run: ({ plan }: { plan: string; before: PluginTerms }) => take(scope.api.DELETE('/api/v1/plans/{plan}/plugin-terms', params(plan))),
    invalidate: [['root', 'plan-terms']],
    after: (_, { plan, before }) => {
      setResetting((r) => ({ ...r, open: false }));
      undo(t('terms.plan_reset', { plan: tv('plan', plan) }), () => put(plan, before));
    },
  });
  const failed = answers.find((a) => a.isError);
  const all = answers.map((a) => a.data);
  const terms = (plan: string) => all[PLANS.indexOf(plan)];
  const writable = scope.can('platform.plugin:write');
  const before = editing ? terms(editing) : undefined;
  return (
    <Page title={t('nav.plan_limits')} description={t('terms.plans_description')}>
      {failed ? (
        <ErrorState error={failed.error} retry={() => answers.forEach((a) => void a.refetch())} />
      ) : !all.every((a) => a !== undefined) ? (
        <PageSkeleton />
      ) : (
        <Section>
          <div className="wide-table">
            <table className="plain matrix" data-testid="plan-terms">
              <thead>
                <tr>
                  <th scope="col">{t('terms.term')}</th>
                  {PLANS.map((plan) => (
                    <th key={plan} scope="col">
                      <b>{tv('plan', plan)}</b>
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {TERMS.map((name) => (
                  <tr key={name} data-term={name}>
                    <th scope="row">
                      {t(`terms.${name}`)} <span className="muted small">{t(`terms_hint.${name}`)}</span>
                    </th>
                    {PLANS.map((plan, i) => (
                      <td key={plan} data-plan={plan}>
                        <TermValue name={name} terms={all[i]!} />
                      </td>
                    ))}
                  </tr>
                ))}
                {writable && (
                  <tr>
                    <td />
                    {PLANS.map((plan) => (
                      <td key={plan}>
                        <div className="stack tight">
                          <Button size="small" icon={<EditOutlined />} onClick={() => setEditing(plan)} aria-label={t('terms.edit_plan', { plan: tv('plan', plan) })} data-testid={`plan-edit-${plan}`}>
                            {t('action.edit')}
                          </Button>
                          <Button size="small" type="text" onClick={() => setResetting({ open: true, plan })} aria-label={t('terms.reset_plan', { plan: tv('plan', plan) })} data-testid={`plan-reset-${plan}`}>
                            {t('terms.reset')}
                          </Button>
                        </div>
                      </td>
                    ))}
                  </tr>
                )}
              </tbody>
            </table>
          </div>
          <p className="muted small">{t('terms.own_stand_over')}</p>
        </Section>
      )}
      {editing && before && (
        <TermsForm
          title={t('terms.edit_plan', { plan: tv('plan', editing) })}
          terms={before}
          path={`/api/v1/plans/${editing}/plugin-terms`}
          cli={['--plan', editing]}
          put={(v) => put(editing, v)}
          invalidate={[['root', 'plan-terms']]}
          onSaved={() => undo(t('terms.plan_saved', { plan: tv('plan', editing) }), () => put(editing, before))}
          onClose={() => setEditing(null)}
        />
      )}
      <Confirm
        open={resetting.open}
        title={t('terms.reset_title', { plan: tv('plan', resetting.plan) })}
        consequences={t('terms.reset_text')}
        confirmLabel={t('terms.reset')}
        danger={false}
        busy={reset.isPending}
        onConfirm={() => {
          const now = terms(resetting.plan);
          if (now) reset.mutate({ plan: resetting.plan, before: now });
        }}
        onCancel={() => setResetting((r) => ({ ...r, open: false }))}
      />
    </Page>
  );
}
