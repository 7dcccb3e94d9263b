/** Changing an enabled plugin: name, config and secrets in one form, with the difference shown before it is saved. */
import { Button, Input, Modal } from 'antd';
import { useEffect, useId, useMemo, useState } from 'react';
import { take } from '@/api/client';
import type { Installation, Plugin } from '@/api/models';
import { fieldsBelow, fieldsBeside, type ApiProblem } from '@/api/problem';
import { useScope } from '@/api/scope';
import { diff } from '@/features/audit/diff';
import { useT } from '@/i18n';
import { SchemaForm, validate, visibleValue, type JsonObject, type Schema } from '@/shared/schema-form';
import { useAction } from '@/shared/ui/act/action';
import { CopyAs } from '@/shared/ui/act/copy-as';
import { Section } from '@/shared/ui/page';
import { ErrorState } from '@/shared/ui/states';
import { useUnsavedGuard } from '@/shared/ui/form/unsaved';
import { Capabilities } from '../parts/capabilities';
import { secretsOf, withSecrets } from '../parts/manifest';
import { useChange, type Change } from '../upgrade/change';
import { ConsentDialog } from '../upgrade/consent';

export function Settings({ installation, plugin }: { installation: Installation; plugin?: Plugin }) {
  const { t, locale } = useT();
  const scope = useScope();
  const nameId = useId();
  const writable = scope.can('plugin:write');
  const bare = (plugin?.config_schema ?? {}) as Schema;
  const secrets = useMemo(() => secretsOf(plugin?.manifest, locale), [plugin, locale]);
  const schema = useMemo(() => withSecrets(bare, secrets), [bare, secrets]);
  const stored = useMemo(() => new Set(installation.secrets.filter((s) => s.set).map((s) => s.name)), [installation.secrets]);
  const [name, setName] = useState(installation.name);
  const [value, setValue] = useState<JsonObject>(installation.config as JsonObject);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [reviewing, setReviewing] = useState(false);
  // A new number makes a new form: fields that were opened to replace a secret close again.
  const [edition, setEdition] = useState(0);
  useEffect(() => {
    setName(installation.name);
    setValue(installation.config as JsonObject);
    setTyped({});
  }, [installation.updated_at, installation.name, installation.config]);

  // Both sides without what is not shown: a value that nobody can see is no change of theirs.
  const config = visibleValue(bare, value);
  const changes = diff({ name: installation.name, config: visibleValue(bare, installation.config as JsonObject) }, { name, config });
  const newSecrets = Object.entries(typed).filter(([, v]) => v);
  const dirty = changes.length > 0 || newSecrets.length > 0;
  useUnsavedGuard(dirty);
  const local = dirty ? validate(bare, value) : [];
  const path = { installation: installation.id };
  const body: Change = { ...(name !== installation.name ? { name } : {}), ...(changes.some((c) => c.field.startsWith('config')) ? { config } : {}) };
  const refused = (p: ApiProblem) => {
    setProblem(p);
    setReviewing(false);
    return true;
  };
  const saved = () => {
    setReviewing(false);
    setTyped({});
    setEdition((n) => n + 1);
  };
  const change = useChange(installation.id, { done: (c) => (c.when_consented ? t('pending.kept') : t('word.saved')), problem: refused, after: saved });
  const replace = useAction({
    run: async () => {
      for (const [secret, v] of newSecrets) await take(scope.api.PUT('/api/v1/installations/{installation}/secrets/{name}', { params: { path: { ...path, name: secret } }, body: { value: v } }));
    },
    invalidate: [[scope.key, 'installations']],
    done: () => t('word.saved'),
    problem: refused,
    after: saved,
  });
  // With other changes the secrets go along: all of it is taken, or nothing.
  const save = () => (changes.length === 0 ? replace.mutate() : change.run(newSecrets.length > 0 ? { ...body, secrets: Object.fromEntries(newSecrets) } : body));
  const reset = () => {
    setName(installation.name);
    setValue(installation.config as JsonObject);
    setTyped({});
    setProblem(null);
    setEdition((n) => n + 1);
  };
  return (
    <div className="split">
    <Section
      title={t('plugins.tab_settings')}
      extra={<CopyAs method="PATCH" path={`/api/v1/installations/${installation.id}`} body={dirty ? body : { config }} />}
    >
      <form
        className="form-narrow"
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          setProblem(null);
          if (local.length === 0) setReviewing(true);
        }}
        onKeyDown={(e) => {
          if ((e.ctrlKey || e.metaKey) && e.key === 's') {
            e.preventDefault();
            if (dirty && local.length === 0) setReviewing(true);
          }
        }}
        data-testid="settings-form"
      >
        {problem && <ErrorState compact error={problem} fields={fieldsBeside(problem)} />}
        <div className="schema-row">
          <label htmlFor={nameId}>{t('plugins.installation_name')}</label>
          <Input id={nameId} value={name} maxLength={80} disabled={!writable} onChange={(e) => setName(e.target.value)} />
        </div>
        <SchemaForm
          key={edition}
          schema={schema}
          value={value}
          onChange={setValue}
          errors={[...local, ...(problem ? [...fieldsBelow(problem, '/config'), ...problem.fields.filter((f) => !f.pointer.startsWith('/config'))] : [])]}
          secrets={{ stored, typed, onType: (secret, v) => setTyped((all) => (v === undefined ? Object.fromEntries(Object.entries(all).filter(([n]) => n !== secret)) : { ...all, [secret]: v })) }}
          disabled={!writable}
        />
        {writable && (
          <div className="form-foot sticky">
            {dirty && <span className="muted small">{t('word.unsaved')}</span>}
            <Button disabled={!dirty} onClick={reset}>
              {t('action.undo')}
            </Button>
            <Button type="primary" htmlType="submit" disabled={!dirty} data-testid="settings-save">
              {t('action.save')}
            </Button>
          </div>
        )}
      </form>
      <Modal open={reviewing && change.asked === null} title={t('plugins.review_changes')} okText={t('action.save')} cancelText={t('action.back')} confirmLoading={change.busy || replace.isPending} onOk={save} onCancel={() => setReviewing(false)} okButtonProps={{ 'data-testid': 'settings-confirm' }}>
        <table className="diff">
          <thead>
            <tr>
              <th>{t('audit.field')}</th>
              <th>{t('audit.before')}</th>
              <th>{t('audit.after')}</th>
            </tr>
          </thead>
          <tbody>
            {changes.map((c) => (
              <tr key={c.field}>
                <th scope="row">
                  <code>{c.field}</code>
                </th>
                <td className="before">
                  <code>{JSON.stringify(c.before) ?? '–'}</code>
                </td>
                <td className="after">
                  <code>{JSON.stringify(c.after) ?? '–'}</code>
                </td>
              </tr>
            ))}
            {newSecrets.map(([secret]) => (
              <tr key={secret}>
                <th scope="row">
                  <code>{secret}</code>
                </th>
                <td className="before">{stored.has(secret) ? '••••••' : '–'}</td>
                <td className="after">{t('secret.new')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Modal>
      <ConsentDialog
        open={change.asked !== null}
        title={t('consent.title_settings')}
        meanwhile={t('consent.meanwhile_settings')}
        added={change.asked?.added ?? {}}
        busy={change.busy}
        onAgree={change.agree}
        onWait={change.wait}
        onDismiss={() => {
          change.dismiss();
          setReviewing(false);
        }}
      />
    </Section>
    {plugin && (
      <Section title={t('plugins.may_do')}>
        <Capabilities manifest={plugin.manifest} schema={plugin.config_schema} />
      </Section>
    )}
    </div>
  );
}
