/** The plugins installed on this host, which tenants may then enable. */
import { UploadOutlined } from '@ant-design/icons';
import { Button, Tag } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Plugin } from '@/api/models';
import { useScope } from '@/api/scope';
import { localized, useT } from '@/i18n';
import { formatBytes } from '@/shared/format';
import { ServerTable, type Column } from '@/shared/table/server-table';
import { useSearch } from '@/shared/table/state';
import { Id } from '@/shared/ui/copyable';
import { Link } from '@/shared/ui/link';
import { Page } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';
import { KindMark } from '../parts/kind-mark';
import { UploadPlugin } from './upload';

export function CataloguePage() {
  const { t, tv, locale } = useT();
  const scope = useScope();
  const [search, setSearch] = useSearch();
  const [asked, ask] = useState(false);
  // The palette leads here by the address, also when this page is shown already.
  const open = asked || search.upload === '1';
  const upload = scope.can('platform.plugin:write') && (
    <Button type="primary" icon={<UploadOutlined />} onClick={() => ask(true)} data-testid="plugin-upload">
      {t('plugins.upload')}
    </Button>
  );
  const columns: Column<Plugin>[] = [
    {
      key: 'name',
      title: t('field.name'),
      csv: (r) => localized(r.name, 'en', r.plugin_id),
      render: (r) => (
        <span className="row">
          <KindMark kind={r.kind} />
          <span className="two-line">
            <Link to={`/plugins/${r.id}`} className="strong">
              {localized(r.name, locale, r.plugin_id)}
            </Link>
            <code className="muted small">{r.plugin_id}</code>
          </span>
        </span>
      ),
    },
    { key: 'version', title: t('field.version'), csv: (r) => r.version, render: (r) => <code>{r.version}</code> },
    { key: 'kind', title: t('field.kind'), csv: (r) => r.kind, render: (r) => tv('kind', r.kind) },
    { key: 'publisher', title: t('plugins.publisher'), csv: (r) => r.publisher, render: (r) => r.publisher },
    { key: 'tier', title: t('plugins.tier'), csv: (r) => r.tier, render: (r) => <Tag>{tv('tier', r.tier)}</Tag> },
    { key: 'state', title: t('plugins.state'), csv: (r) => r.quarantined ?? '', render: (r) => <Status value={r.quarantined ? 'held' : 'in_service'} prefix="service" /> },
    { key: 'installations', title: t('plugins.enabled_in'), align: 'right', csv: (r) => r.installations, render: (r) => r.installations },
    { key: 'size', title: t('plugins.size'), align: 'right', csv: (r) => r.size, render: (r) => formatBytes(r.size) },
    { key: 'installed_at', title: t('plugins.installed'), csv: (r) => r.installed_at, render: (r) => <RelativeTime value={r.installed_at} /> },
    { key: 'contract', title: t('plugins.contract'), csv: (r) => r.contract, render: (r) => <code>{r.contract}</code>, hidden: true },
    { key: 'digest', title: t('plugins.digest'), csv: (r) => r.digest, render: (r) => <Id value={r.digest} short />, hidden: true },
  ];
  return (
    <Page title={t('nav.plugins')} description={t('plugins.catalogue_description')} actions={upload}>
      <ServerTable<Plugin>
        id="plugins"
        columns={columns}
        load={(query) => take(scope.api.GET('/api/v1/plugins', { params: { query } }))}
        rowKey={(r) => r.id}
        href={(r) => `/plugins/${r.id}`}
        searchLabel={t('plugins.search')}
        empty={{ text: t('plugins.catalogue_empty'), action: upload }}
      />
      <UploadPlugin
        open={open}
        onClose={() => {
          ask(false);
          if (search.upload) setSearch({}, true);
        }}
      />
    </Page>
  );
}
