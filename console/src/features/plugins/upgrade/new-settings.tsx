/** The settings a new version needs and could not make from the old ones: filled in, and saved together with the change. */
import { Button, Drawer } from 'antd';
import { useMemo, useState } from 'react';
import type { Installation, Plugin } from '@/api/models';
import { fieldsBelow, fieldsBeside, type ApiProblem } from '@/api/problem';
import { useT } from '@/i18n';
import { SchemaForm, validate, visibleValue, type JsonObject, type Schema } from '@/shared/schema-form';
import { ErrorState } from '@/shared/ui/states';
import { missingSecrets, secretsOf, withSecrets } from '../parts/manifest';
import type { Change } from './change';

export interface NewSettingsProps {
  installation: Installation;
  /** The version to change to. */
  plugin: Plugin;
  problem: ApiProblem;
  busy: boolean;
  onSave: (change: Change) => void;
  onClose: () => void;
}

export function NewSettings({ installation, plugin, problem, busy, onSave, onClose }: NewSettingsProps) {
  const { t, locale } = useT();
  const bare = (plugin.config_schema ?? {}) as Schema;
  const secrets = useMemo(() => secretsOf(plugin.manifest, locale), [plugin, locale]);
  const schema = useMemo(() => withSecrets(bare, secrets), [bare, secrets]);
  const stored = useMemo(() => new Set(installation.secrets.filter((s) => s.set).map((s) => s.name)), [installation.secrets]);
  const [value, setValue] = useState(installation.config as JsonObject);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [tried, setTried] = useState(false);
  const local = tried
    ? [...validate(bare, value), ...missingSecrets(secrets, stored, typed).map((name) => ({ pointer: `/secrets/${name}`, code: 'required', message: t('form.required') }))]
    : [];
  const submit = () => {
    setTried(true);
    if (validate(bare, value).length > 0 || missingSecrets(secrets, stored, typed).length > 0) return;
    const brought = Object.fromEntries(Object.entries(typed).filter(([, v]) => v));
    onSave({ version: plugin.version, config: visibleValue(bare, value), ...(Object.keys(brought).length > 0 ? { secrets: brought } : {}) });
  };
  return (
    <Drawer open size={560} title={t('version.settings_for', { version: plugin.version })} onClose={onClose} data-testid="new-settings">
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          submit();
        }}
      >
        <ErrorState compact error={problem} fields={fieldsBeside(problem)} />
        <SchemaForm
          schema={schema}
          value={value}
          onChange={setValue}
          errors={[...local, ...fieldsBelow(problem, '/config'), ...problem.fields.filter((f) => f.pointer.startsWith('/secrets/'))]}
          secrets={{ stored, typed, onType: (name, v) => setTyped((all) => (v === undefined ? Object.fromEntries(Object.entries(all).filter(([n]) => n !== name)) : { ...all, [name]: v })) }}
        />
        <div className="form-foot">
          <Button onClick={onClose}>{t('action.back')}</Button>
          <Button type="primary" htmlType="submit" loading={busy} data-testid="new-settings-save">
            {t('version.change_to', { version: plugin.version })}
          </Button>
        </div>
      </form>
    </Drawer>
  );
}
