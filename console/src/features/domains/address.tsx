/** The address that is always there, made of the slug; owners and operators can give another one. */
import { EditOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Tenant } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { FormDrawer } from '@/shared/ui/form/drawer';
import { useGo } from '@/shared/ui/link';
import { Facts, Section } from '@/shared/ui/page';

/** Where the same page is after a rename: below another path, or at another host. */
export function addressAfter(location: { pathname: string; hostname: string; host: string; protocol: string; search: string }, from: string, to: string): string | null {
  if (location.pathname.startsWith(`/t/${from}/`)) return `/t/${to}${location.pathname.slice(`/t/${from}`.length)}${location.search}`;
  if (location.hostname.startsWith(`${from}.`)) return `${location.protocol}//${to}${location.host.slice(from.length)}${location.pathname}${location.search}`;
  return null;
}

export function Address() {
  const { t } = useT();
  const scope = useScope();
  const go = useGo();
  const [renaming, setRenaming] = useState(false);
  const tenant = useQuery({ queryKey: [scope.key, 'tenant'], queryFn: () => take(scope.api.GET('/api/v1/tenant')) });
  if (!tenant.data) return null;
  const { slug, url, updated_at } = tenant.data;
  const may = scope.can('tenant:write') && (scope.realm === 'operator' || scope.session.user.role === 'owner');
  const moved = (changed: Tenant) => {
    if (scope.realm === 'operator') return go(`/tenants/${changed.slug}/domains`, {}, true);
    const there = addressAfter(location, slug, changed.slug);
    if (there) location.assign(there);
  };
  return (
    <Section
      title={t('domains.address')}
      extra={
        may && (
          <Button type="text" size="small" icon={<EditOutlined />} onClick={() => setRenaming(true)} data-testid="tenant-rename">
            {t('domains.rename')}
          </Button>
        )
      }
    >
      <Facts
        items={[
          [t('tenants.slug'), <code key="slug">{slug}</code>],
          [t('domains.links'), <code key="url">{url}</code>],
        ]}
      />
      {renaming && (
        <FormDrawer<{ slug: string }, Tenant>
          name="rename"
          title={t('domains.rename')}
          submitLabel={t('domains.rename')}
          initial={{ slug }}
          fields={['slug']}
          run={(v) => take(scope.api.PUT('/api/v1/tenant/slug', { body: { ...v, if_updated_at: updated_at } }))}
          invalidate={scope.realm === 'operator' ? [['root', 'tenants']] : []}
          done={(changed) => t('domains.renamed', { slug: changed.slug })}
          copy={(body) => ({ method: 'PUT', path: '/api/v1/tenant/slug', body })}
          after={moved}
          onClose={() => setRenaming(false)}
        >
          {() => (
            <>
              <p>{t('domains.rename_text')}</p>
              <Form.Item name="slug" label={t('tenants.slug')} rules={[{ required: true, pattern: /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, message: t('tenants.slug_rule') }]}>
                <Input className="mono" autoComplete="off" spellCheck={false} autoFocus />
              </Form.Item>
            </>
          )}
        </FormDrawer>
      )}
    </Section>
  );
}
