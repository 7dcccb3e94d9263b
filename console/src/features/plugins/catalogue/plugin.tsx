/** One plugin version: what it is, what it asks for, the form it will show. */
import { DeleteOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Button, Tabs, Tag } from 'antd';
import { lazy, Suspense, useState } from 'react';
import { take } from '@/api/client';
import type { Plugin } from '@/api/models';
import { useScope } from '@/api/scope';
import { localized, useT } from '@/i18n';
import { formatBytes } from '@/shared/format';
import { defaultsOf, SchemaForm, type JsonObject, type Schema } from '@/shared/schema-form';
import { useSearch } from '@/shared/table/state';
import { useAction } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { Id } from '@/shared/ui/copyable';
import { Link, useGo } from '@/shared/ui/link';
import { ObjectHeader } from '@/shared/ui/object-header';
import { Facts, Section } from '@/shared/ui/page';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { RelativeTime } from '@/shared/ui/time';
import { Capabilities } from '../parts/capabilities';
import { KindMark } from '../parts/kind-mark';
import { secretsOf, withSecrets } from '../parts/manifest';
import { QuarantineButton, QuarantineNotice } from './quarantine';

const Releases = lazy(() => import('@/features/plugins/releases'));
const Limits = lazy(() => import('@/features/plugins/limits/ceiling/tab'));

export function PluginPage() {
  const { t, tv, locale } = useT();
  const scope = useScope();
  const go = useGo();
  const { plugin: id } = useParams({ strict: false }) as { plugin: string };
  const [removing, setRemoving] = useState(false);
  // The tab stands in the address, so that it can be linked to.
  const [search, setSearch] = useSearch();
  const query = useQuery({ queryKey: [scope.key, 'plugins', id], queryFn: () => take(scope.api.GET('/api/v1/plugins/{plugin}', { params: { path: { plugin: id } } })) });
  const remove = useAction({
    run: () => take(scope.api.DELETE('/api/v1/plugins/{plugin}', { params: { path: { plugin: id } } })),
    invalidate: [[scope.key, 'plugins', 'list']],
    done: () => t('plugins.removed'),
    after: () => go('/plugins'),
  });
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <PageSkeleton />;
  const p = query.data;
  const name = localized(p.name, locale, p.plugin_id);
  return (
    <div className="page">
      <ObjectHeader
        title={
          <span className="row">
            <KindMark kind={p.kind} /> {name}
          </span>
        }
        name={name}
        id={p.id}
        tags={
          <>
            <Tag>{p.version}</Tag>
            <Tag>{tv('kind', p.kind)}</Tag>
            <Tag title={tv('tier_text', p.tier)}>{tv('tier', p.tier)}</Tag>
          </>
        }
        meta={<code className="muted">{p.plugin_id}</code>}
        actions={
          scope.can('platform.plugin:write') && (
            <>
              <QuarantineButton plugin={p} />
              <Button danger icon={<DeleteOutlined />} onClick={() => setRemoving(true)} data-testid="plugin-remove">
                {t('action.remove')}
              </Button>
            </>
          )
        }
      />
      <QuarantineNotice plugin={p} />
      <Tabs
        size="small"
        activeKey={search.tab ?? 'about'}
        onChange={(tab) => setSearch(tab === 'about' ? {} : { tab })}
        items={[
          { key: 'about', label: t('plugins.tab_about'), children: <About plugin={p} /> },
          {
            key: 'releases',
            label: t('releases.tab'),
            children: (
              <Suspense fallback={<PageSkeleton />}>
                <Releases plugin={p} />
              </Suspense>
            ),
          },
          {
            key: 'limits',
            label: t('ceiling.tab'),
            children: (
              <Suspense fallback={<PageSkeleton />}>
                <Limits plugin={p} />
              </Suspense>
            ),
          },
          { key: 'form', label: t('plugins.tab_form'), children: <FormPreview plugin={p} /> },
          { key: 'manifest', label: t('plugins.tab_manifest'), children: <pre className="code-block">{JSON.stringify(p.manifest, null, 2)}</pre> },
          { key: 'schema', label: t('plugins.tab_schema'), children: <pre className="code-block">{JSON.stringify(p.config_schema, null, 2)}</pre> },
        ]}
      />
      <Confirm
        open={removing}
        title={t('plugins.remove_title', { name })}
        consequences={t('plugins.remove_text', { n: p.installations })}
        name={p.plugin_id}
        confirmLabel={t('action.remove')}
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
        onCancel={() => setRemoving(false)}
      />
    </div>
  );
}

function About({ plugin: p }: { plugin: Plugin }) {
  const { t, tv, locale } = useT();
  return (
    <div className="split">
      <Section title={t('plugins.asks')}>
        {p.description && <p>{localized(p.description, locale)}</p>}
        <Capabilities manifest={p.manifest} schema={p.config_schema} />
      </Section>
      <Section title={t('plugins.component')}>
        <Facts
          items={[
            [
              t('plugins.publisher'),
              <Link key="p" to="/plugins/publishers">
                {p.publisher}
              </Link>,
            ],
            [
              t('plugins.tier'),
              <span key="t" className="two-line" data-testid="plugin-tier" data-tier={p.tier}>
                {tv('tier', p.tier)}
                <span className="muted small">{tv('tier_text', p.tier)}</span>
              </span>,
            ],
            [t('plugins.contract'), <code key="c">{p.contract}</code>],
            [t('plugins.size'), formatBytes(p.size)],
            [t('plugins.digest'), <Id key="d" value={p.digest} short />],
            [t('plugins.installed'), <RelativeTime key="i" value={p.installed_at} />],
            [t('plugins.enabled_in'), t('plugins.tenants_count', { n: p.installations })],
          ]}
        />
        <h3>{t('plugins.imports')}</h3>
        <ul className="code-list">
          {p.imports.map((i) => (
            <li key={i}>
              <code>{i}</code>
            </li>
          ))}
        </ul>
      </Section>
    </div>
  );
}

function FormPreview({ plugin }: { plugin: Plugin }) {
  const { t, locale } = useT();
  const schema = withSecrets((plugin.config_schema ?? {}) as Schema, secretsOf(plugin.manifest, locale));
  const [value, setValue] = useState<JsonObject>(() => (defaultsOf(schema) as JsonObject | undefined) ?? {});
  const [typed, setTyped] = useState<Record<string, string>>({});
  return (
    <div className="split">
      <Section title={t('plugins.form_preview')}>
        <SchemaForm
          schema={schema}
          value={value}
          onChange={setValue}
          secrets={{ stored: new Set(), typed, onType: (name, v) => setTyped((all) => ({ ...all, [name]: v ?? '' })) }}
        />
      </Section>
      <Section title={t('plugins.form_value')}>
        <pre className="code-block">{JSON.stringify(value, null, 2)}</pre>
      </Section>
    </div>
  );
}
