/** Which secrets a plugin may be granted, for what, and where they may be sent. */
import { Checkbox, Select } from 'antd';
import { useT } from '@/i18n';
import type { SecretBound } from './ceiling';

export interface SecretsBoundProps {
  /** Given by the form. */
  value?: Record<string, SecretBound> | null;
  onChange?: (value: Record<string, SecretBound> | null) => void;
  /** The plugin's secrets, with the uses it declares. */
  declared: Record<string, SecretBound>;
}

export function SecretsBound({ value = null, onChange, declared }: SecretsBoundProps) {
  const { t } = useT();
  const names = [...new Set([...Object.keys(declared), ...Object.keys(value ?? {})])];
  const put = (name: string, part: Partial<SecretBound>) => onChange?.({ ...value, [name]: { ...(value?.[name] ?? { uses: [], hosts: [] }), ...part } });
  return (
    <div className="stack tight">
      <Checkbox checked={value !== null} onChange={(e) => onChange?.(e.target.checked ? declared : null)}>
        {t('bound.secrets')}
      </Checkbox>
      {value !== null &&
        names.map((name) => {
          const one = value[name] ?? { uses: [], hosts: [] };
          const uses = [...new Set([...(declared[name]?.uses ?? []), ...one.uses])];
          return (
            <div key={name} role="group" aria-label={name} className="schema-nested stack tight" data-secret={name}>
              <code>{name}</code>
              <Select mode="multiple" aria-label={t('bound.secret_uses', { name })} placeholder={t('bound.secret_no_use')} value={one.uses} options={uses.map((u) => ({ value: u, label: u }))} onChange={(v: string[]) => put(name, { uses: v })} />
              <Select mode="tags" aria-label={t('bound.secret_hosts', { name })} placeholder={t('bound.secret_no_host')} value={one.hosts} options={(declared[name]?.hosts ?? []).map((h) => ({ value: h, label: h }))} tokenSeparators={[',', ' ', '\n']} onChange={(v: string[]) => put(name, { hosts: v })} />
            </div>
          );
        })}
    </div>
  );
}
