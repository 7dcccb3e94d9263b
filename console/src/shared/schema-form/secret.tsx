/** A secret can be written and replaced, never read: the server keeps it sealed and answers only that it is set. */
import { LockOutlined } from '@ant-design/icons';
import { Button, Input } from 'antd';
import { useState } from 'react';
import { useT } from '@/i18n';
import type { ControlProps } from './widgets';

export function SecretField({ field, secrets, id, describedBy, invalid, disabled }: ControlProps) {
  const { t } = useT();
  const name = field.secret ?? field.key;
  const stored = secrets?.stored.has(name) ?? false;
  const typed = secrets?.typed[name];
  const [replacing, setReplacing] = useState(false);
  if (stored && !replacing && typed === undefined) {
    return (
      <div className="row secret-set">
        <LockOutlined aria-hidden />
        <span id={id}>{t('secret.set')}</span>
        <Button size="small" disabled={disabled} onClick={() => setReplacing(true)} data-testid={`secret-replace-${name}`}>
          {t('secret.replace')}
        </Button>
      </div>
    );
  }
  const multiline = /pem|rsa|ec-private|certificate|key-file/i.test(field.schema.format ?? '') || field.schema['x-aistack']?.widget === 'textarea';
  const change = (value: string) => secrets?.onType(name, value === '' ? undefined : value);
  return (
    <div className="row">
      {multiline ? (
        <Input.TextArea id={id} className="mono" autoComplete="off" spellCheck={false} value={typed ?? ''} status={invalid ? 'error' : undefined} aria-describedby={describedBy} autoSize={{ minRows: 3, maxRows: 10 }} placeholder="-----BEGIN PRIVATE KEY-----" disabled={disabled} onChange={(e) => change(e.target.value)} />
      ) : (
        <Input.Password id={id} autoComplete="new-password" spellCheck={false} value={typed ?? ''} status={invalid ? 'error' : undefined} aria-describedby={describedBy} placeholder={field.placeholder || t('secret.placeholder')} disabled={disabled} onChange={(e) => change(e.target.value)} />
      )}
      {stored && (
        <Button
          type="text"
          onClick={() => {
            secrets?.onType(name, undefined);
            setReplacing(false);
          }}
        >
          {t('secret.keep')}
        </Button>
      )}
    </div>
  );
}
