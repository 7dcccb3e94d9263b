/** Enabling a plugin: choose it, weigh what it asks for, fill in its form, check, done. */
import { useQuery } from '@tanstack/react-query';
import { Button, Checkbox, Input, Steps } from 'antd';
import { useId, useMemo, useState } from 'react';
import { take } from '@/api/client';
import { fieldsBelow, fieldsBeside, type ApiProblem } from '@/api/problem';
import type { Installation, Plugin } from '@/api/models';
import { useScope } from '@/api/scope';
import { localized, useT } from '@/i18n';
import { defaultsOf, SchemaForm, validate, visibleValue, type JsonObject, type Schema } from '@/shared/schema-form';
import { useSearch } from '@/shared/table/state';
import { useAction } from '@/shared/ui/act/action';
import { CopyAs } from '@/shared/ui/act/copy-as';
import { useGo } from '@/shared/ui/link';
import { Page, Section } from '@/shared/ui/page';
import { EmptyState, ErrorState, PageSkeleton } from '@/shared/ui/states';
import { useUnsavedGuard } from '@/shared/ui/form/unsaved';
import { Capabilities } from '../parts/capabilities';
import { CheckPanel } from '../parts/check';
import { Endpoints } from '../parts/endpoints';
import { PrivateHosts } from '../parts/grants';
import { KindMark } from '../parts/kind-mark';
import { missingSecrets, secretsOf, withSecrets } from '../parts/manifest';

export function EnablePage() {
  const { t } = useT();
  const scope = useScope();
  const [search] = useSearch();
  const [chosen, setChosen] = useState<Plugin | null>(null);
  const [consented, setConsented] = useState(false);
  const [made, setMade] = useState<Installation | null>(null);
  const available = useQuery({ queryKey: [scope.key, 'available'], queryFn: () => take(scope.api.GET('/api/v1/plugins/available', { params: { query: { limit: 200 } } })) });
  const plugin = chosen ?? available.data?.items.find((p) => p.id === search.plugin || p.plugin_id === search.plugin) ?? null;
  const step = made ? 3 : !plugin ? 0 : !consented ? 1 : 2;
  return (
    <Page title={t('plugins.enable')} description={t('plugins.enable_description')}>
      <Steps className="gap-below" size="small" current={step} items={[{ title: t('plugins.step_choose') }, { title: t('plugins.step_review') }, { title: t('plugins.step_configure') }, { title: t('plugins.step_done') }]} />
      {available.isError ? (
        <ErrorState error={available.error} retry={() => void available.refetch()} />
      ) : !available.data ? (
        <PageSkeleton />
      ) : step === 0 ? (
        <Choose plugins={available.data.items} onChoose={setChosen} />
      ) : step === 1 && plugin ? (
        <Review plugin={plugin} onBack={() => setChosen(null)} onConsent={() => setConsented(true)} />
      ) : step === 2 && plugin ? (
        <Configure plugin={plugin} onBack={() => setConsented(false)} onMade={setMade} />
      ) : (
        made && <Done installation={made} />
      )}
    </Page>
  );
}

function Choose({ plugins, onChoose }: { plugins: Plugin[]; onChoose: (p: Plugin) => void }) {
  const { t, tv, locale } = useT();
  if (plugins.length === 0) return <EmptyState text={t('plugins.none_available')} />;
  return (
    <div className="plugin-grid">
      {plugins.map((p) => (
        <button key={p.id} type="button" className="plugin-card" onClick={() => onChoose(p)} data-testid={`choose-${p.plugin_id}`}>
          <KindMark kind={p.kind} />
          <span className="two-line">
            <b>{localized(p.name, locale, p.plugin_id)}</b>
            <span className="muted small">
              {tv('kind', p.kind)} · {p.version} · {p.publisher}
            </span>
          </span>
        </button>
      ))}
    </div>
  );
}

function Review({ plugin, onBack, onConsent }: { plugin: Plugin; onBack: () => void; onConsent: () => void }) {
  const { t, locale } = useT();
  const [agreed, setAgreed] = useState(false);
  return (
    <Section title={t('plugins.review_title', { name: localized(plugin.name, locale, plugin.plugin_id) })}>
      <div className="form-narrow">
      <p className="muted">{t('plugins.review_text')}</p>
      <Capabilities manifest={plugin.manifest} schema={plugin.config_schema} />
      <Checkbox checked={agreed} onChange={(e) => setAgreed(e.target.checked)} data-testid="grant-consent">
        {t('plugins.consent')}
      </Checkbox>
      <div className="form-foot">
        <Button onClick={onBack}>{t('action.back')}</Button>
        <Button type="primary" disabled={!agreed} onClick={onConsent} data-testid="grant-continue">
          {t('action.continue')}
        </Button>
      </div>
      </div>
    </Section>
  );
}

function Configure({ plugin, onBack, onMade }: { plugin: Plugin; onBack: () => void; onMade: (i: Installation) => void }) {
  const { t, locale } = useT();
  const scope = useScope();
  const nameId = useId();
  const secrets = useMemo(() => secretsOf(plugin.manifest, locale), [plugin, locale]);
  const bare = (plugin.config_schema ?? {}) as Schema;
  const schema = useMemo(() => withSecrets(bare, secrets), [bare, secrets]);
  const [name, setName] = useState(() => localized(plugin.name, locale, plugin.plugin_id));
  const [value, setValue] = useState<JsonObject>(() => (defaultsOf(bare) as JsonObject | undefined) ?? {});
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [privateHosts, setPrivateHosts] = useState<string[]>([]);
  const [dirty, setDirty] = useState(false);
  const [tried, setTried] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const guard = useUnsavedGuard(dirty);

  const config = visibleValue(bare, value);
  const body = {
    plugin_id: plugin.plugin_id,
    version: plugin.version,
    name,
    config,
    secrets: Object.fromEntries(Object.entries(typed).filter(([, v]) => v)),
    // Left out, everything the manifest declares is granted.
    ...(privateHosts.length > 0 ? { grants: { private_hosts: privateHosts } } : {}),
  };
  const local = tried
    ? [...validate(bare, value), ...missingSecrets(secrets, new Set(), typed).map((s) => ({ pointer: `/secrets/${s}`, code: 'required', message: t('form.required') }))]
    : [];
  const fromServer = problem ? [...fieldsBelow(problem, '/config'), ...problem.fields.filter((f) => !f.pointer.startsWith('/config'))] : [];
  const create = useAction({
    run: () => take(scope.api.POST('/api/v1/installations', { body: body as never })),
    invalidate: [[scope.key, 'installations'], [scope.key, 'reports']],
    problem: (p) => {
      setProblem(p);
      return true;
    },
    after: (made) => {
      setDirty(false);
      onMade(made);
    },
  });
  const submit = () => {
    setTried(true);
    setProblem(null);
    if (validate(bare, value).length === 0 && missingSecrets(secrets, new Set(), typed).length === 0) create.mutate();
  };
  return (
    <div className="split">
    <Section
      title={
        <span className="row">
          <KindMark kind={plugin.kind} /> {localized(plugin.name, locale, plugin.plugin_id)}
        </span>
      }
      extra={<CopyAs method="POST" path="/api/v1/installations" body={{ ...body, secrets: Object.fromEntries(Object.keys(body.secrets).map((k) => [k, '…'])) }} />}
    >
      <form
        className="form-narrow"
        data-testid="enable-form"
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          submit();
        }}
        onKeyDown={(e) => {
          if ((e.ctrlKey || e.metaKey) && e.key === 's') {
            e.preventDefault();
            submit();
          }
        }}
      >
        {problem && <ErrorState compact error={problem} fields={fieldsBeside(problem)} />}
        <div className="schema-row">
          <label htmlFor={nameId}>{t('plugins.installation_name')}</label>
          <Input id={nameId} value={name} maxLength={80} onChange={(e) => setName(e.target.value)} />
          <p className="field-help">{plugin.kind === 'identity' ? t('plugins.name_identity') : t('plugins.name_other')}</p>
        </div>
        <SchemaForm
          schema={schema}
          value={value}
          onChange={(v) => {
            setDirty(true);
            setValue(v);
          }}
          errors={[...local, ...fromServer]}
          secrets={{
            stored: new Set(),
            typed,
            onType: (secret, v) => {
              setDirty(true);
              setTyped((all) => ({ ...all, [secret]: v ?? '' }));
            },
          }}
        />
        {scope.session.realm === 'operator' && plugin.kind !== 'report' && <PrivateHosts value={privateHosts} onChange={setPrivateHosts} />}
        <div className="form-foot">
          <Button onClick={() => guard.leave(onBack)}>{t('action.back')}</Button>
          <Button type="primary" htmlType="submit" loading={create.isPending} disabled={name.trim() === ''} data-testid="enable-submit">
            {t('action.enable')}
          </Button>
        </div>
      </form>
    </Section>
    <Section title={t('plugins.may_do')}>
      <Capabilities manifest={plugin.manifest} schema={plugin.config_schema} />
    </Section>
    </div>
  );
}

function Done({ installation }: { installation: Installation }) {
  const { t } = useT();
  const scope = useScope();
  const go = useGo();
  return (
    <div className="stack loose" data-testid="enable-done">
      <Section title={t('plugins.done_title', { name: installation.name })}>
        <Endpoints installation={installation} />
        <div className="form-foot start">
          <Button type="primary" onClick={() => go(scope.to(`/plugins/${installation.id}`))} data-testid="enable-open">
            {t('plugins.open')}
          </Button>
          <Button onClick={() => go(scope.to('/plugins'))}>{t('nav.plugins')}</Button>
        </div>
      </Section>
      <CheckPanel installation={installation.id} auto />
    </div>
  );
}
