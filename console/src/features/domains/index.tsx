/** The tenant's addresses: its slug, its own domains and how their proofs stand. */
import { PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Domain } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { FormDrawer } from '@/shared/ui/form/drawer';
import { Page, Section } from '@/shared/ui/page';
import { EmptyState, ErrorState, PageSkeleton } from '@/shared/ui/states';
import { Address } from './address';
import { DomainCard } from './card';

export function DomainsPage() {
  const { t } = useT();
  const scope = useScope();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Domain | null>(null);
  const writable = scope.can('tenant:write');
  const key = [scope.key, 'domains'];
  const domains = useQuery({ queryKey: key, queryFn: () => take(scope.api.GET('/api/v1/domains')) });
  const remove = useAction({
    run: (domain: Domain) => take(scope.api.DELETE('/api/v1/domains/{domain}', { params: { path: { domain: domain.domain } } })),
    invalidate: [key],
    done: (_, domain) => t('domains.removed', { domain: domain.domain }),
    after: () => setRemoving(null),
  });
  if (domains.isError) return <ErrorState error={domains.error} retry={() => void domains.refetch()} />;
  if (!domains.data) return <PageSkeleton />;
  const full = domains.data.items.length >= domains.data.limit;
  const add = writable && (
    <Button type="primary" icon={<PlusOutlined />} disabled={full} title={full ? t('domains.full', { n: domains.data.limit }) : undefined} onClick={() => setAdding(true)} data-testid="domain-add">
      {t('domains.add')}
    </Button>
  );
  return (
    <Page title={t('nav.domains')} description={t('domains.description')} actions={add}>
      <div className="stack loose">
        <Address />
        {domains.data.items.map((domain) => (
          <DomainCard key={domain.domain} domain={domain} writable={writable} onRemove={() => setRemoving(domain)} />
        ))}
        {domains.data.items.length === 0 && (
          <Section>
            <EmptyState text={t('domains.empty')} />
          </Section>
        )}
      </div>
      {adding && (
        <FormDrawer<{ domain: string }, Domain>
          name="domain"
          title={t('domains.add')}
          submitLabel={t('domains.add')}
          initial={{ domain: '' }}
          fields={['domain']}
          run={(body) => take(scope.api.POST('/api/v1/domains', { body }))}
          invalidate={[key]}
          done={(d) => t('domains.added', { domain: d.domain })}
          copy={(body) => ({ method: 'POST', path: '/api/v1/domains', body })}
          onClose={() => setAdding(false)}
        >
          {() => (
            <Form.Item name="domain" label={t('domains.domain')} extra={t('domains.domain_hint')} rules={[{ required: true, message: t('form.required') }]}>
              <Input className="mono" placeholder="app.example.com" inputMode="url" autoComplete="off" spellCheck={false} autoFocus />
            </Form.Item>
          )}
        </FormDrawer>
      )}
      <Confirm
        open={removing !== null}
        title={t('domains.remove_title', { domain: removing?.domain ?? '' })}
        consequences={t(removing?.status === 'verified' || removing?.status === 'failing' ? 'domains.remove_working' : 'domains.remove_text')}
        name={removing?.status === 'verified' || removing?.status === 'failing' ? removing.domain : undefined}
        confirmLabel={t('action.remove')}
        busy={remove.isPending}
        onConfirm={() => removing && remove.mutate(removing)}
        onCancel={() => setRemoving(null)}
      />
    </Page>
  );
}
