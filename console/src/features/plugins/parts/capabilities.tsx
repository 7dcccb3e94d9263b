/** The list of what a plugin may do, each line with the author's reason. */
import { ApiOutlined, ClockCircleOutlined, CloudDownloadOutlined, DatabaseOutlined, GlobalOutlined, KeyOutlined, LinkOutlined, SafetyOutlined } from '@ant-design/icons';
import { useT } from '@/i18n';
import type { Schema } from '@/shared/schema-form';
import { capabilitiesOf, type CapabilityKind } from './manifest';

const ICONS: Record<CapabilityKind, React.ReactNode> = {
  egress: <GlobalOutlined />,
  dial: <LinkOutlined />,
  secret: <KeyOutlined />,
  kv: <DatabaseOutlined />,
  endpoint: <CloudDownloadOutlined />,
  job: <ClockCircleOutlined />,
  dataset: <DatabaseOutlined />,
  other: <ApiOutlined />,
};

export function Capabilities({ manifest, schema }: { manifest: unknown; schema?: unknown }) {
  const { t, tv, locale } = useT();
  const items = capabilitiesOf(manifest, locale, schema as Schema | undefined);
  const network = items.some((c) => c.kind === 'egress' || c.kind === 'dial');
  return (
    <ul className="capabilities" data-testid="capabilities">
      {items.map((c) => (
        <li key={`${c.kind} ${c.subject}`}>
          {ICONS[c.kind]}
          <div>
            <span>
              {tv('capability', c.kind)} <code className="strong">{c.subject}</code>
            </span>
            {c.detail && <span className="muted small">{c.detail}</span>}
            {c.reason && <span className="muted small">{c.reason}</span>}
          </div>
        </li>
      ))}
      {!network && (
        <li className="calm">
          <SafetyOutlined />
          <div>
            <span>{t('plugins.no_network')}</span>
          </div>
        </li>
      )}
    </ul>
  );
}
