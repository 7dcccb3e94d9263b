/** What an installation may really do, and the operator's exception for hosts on the inside. */
import { Button, Select } from 'antd';
import { useId, useState } from 'react';
import { take } from '@/api/client';
import type { Installation } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { formatBytes } from '@/shared/format';
import { useAction } from '@/shared/ui/act/action';
import { Facts } from '@/shared/ui/page';

interface Granted {
  interfaces?: string[];
  http_hosts?: string[];
  private_hosts?: string[];
  dial_targets?: string[];
  datasets?: string[];
  secrets?: Record<string, { uses: string[]; hosts: string[] }>;
  kv_bytes?: number;
  kv_keys?: number;
}

/** Only operators may open private addresses and plain HTTP, host by host. */
export function PrivateHosts({ value, onChange }: { value: string[]; onChange: (hosts: string[]) => void }) {
  const { t } = useT();
  const id = useId();
  return (
    <div className="schema-row" data-testid="field-private-hosts">
      <label htmlFor={id}>
        {t('plugins.private_hosts')} <span className="muted small">{t('form.optional')}</span>
      </label>
      <Select id={id} mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', ' ', '\n']} value={value} placeholder="127.0.0.1:8080" style={{ width: '100%' }} onChange={onChange} />
      <p className="field-help">{t('plugins.private_hosts_help')}</p>
    </div>
  );
}

export function Grants({ installation }: { installation: Installation }) {
  const { t } = useT();
  const scope = useScope();
  const granted = (installation.grants ?? {}) as Granted;
  const inForce = (installation.effective_grants ?? {}) as Granted;
  const [hosts, setHosts] = useState(granted.private_hosts ?? []);
  const operator = scope.session.realm === 'operator' && scope.can('plugin:write');
  const save = useAction({
    // Everything else as it was granted: what is left out would be granted anew, as declared.
    run: () => take(scope.api.PATCH('/api/v1/installations/{installation}', { params: { path: { installation: installation.id } }, body: { grants: { ...granted, private_hosts: hosts } } as never })),
    invalidate: [[scope.key, 'installations']],
    done: () => t('word.saved'),
  });
  const codes = (items: string[] | undefined) => (items && items.length > 0 ? <span className="codes">{items.map((i) => <code key={i}>{i}</code>)}</span> : <span className="muted">{t('word.none')}</span>);
  const held = Object.entries(inForce.secrets ?? {});
  const secrets =
    held.length === 0 ? (
      codes([])
    ) : (
      <ul key="s" className="plain-list">
        {held.map(([name, { uses, hosts: to }]) => (
          <li key={name}>
            <code className="strong">{name}</code> <span className="muted">{[uses.join(', '), to.length > 0 ? `→ ${to.join(', ')}` : ''].filter(Boolean).join(' ')}</span>
          </li>
        ))}
      </ul>
    );
  const changed = JSON.stringify(hosts) !== JSON.stringify(granted.private_hosts ?? []);
  return (
    <div className="stack loose">
      <Facts
        items={[
          [t('plugins.grant_interfaces'), codes(inForce.interfaces)],
          [t('plugins.grant_http'), codes(inForce.http_hosts)],
          [t('plugins.grant_dial'), codes(inForce.dial_targets)],
          [t('plugins.grant_private'), codes(inForce.private_hosts)],
          [t('plugins.grant_datasets'), codes(inForce.datasets)],
          [t('plugins.grant_secrets'), secrets],
          [t('plugins.grant_kv'), inForce.kv_bytes ? `${formatBytes(inForce.kv_bytes)}, ${t('plugins.keys', { n: inForce.kv_keys ?? 0 })}` : <span key="n" className="muted">{t('word.none')}</span>],
        ]}
      />
      {operator && (
        <div>
          <PrivateHosts value={hosts} onChange={setHosts} />
          <Button disabled={!changed} loading={save.isPending} onClick={() => save.mutate()} data-testid="grants-save">
            {t('action.save')}
          </Button>
        </div>
      )}
    </div>
  );
}
