/** Sign-in through a connection that asks something of the person here: fields to fill in, a code to scan, something to confirm. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input, Spin } from 'antd';
import { useEffect } from 'react';
import { take } from '@/api/client';
import { useConsole } from '@/app/console';
import { localized, useT } from '@/i18n';
import { CopyButton } from '@/shared/ui/copyable';
import { follow, isWebAddress } from '@/shared/ui/act/handover';
import { ScanCode } from '@/shared/ui/qr';
import { ErrorState } from '@/shared/ui/states';
import { readLoginStep, type PromptField } from './step';

export interface ConnectProps {
  /** The installation. */
  connection: string;
  name: string;
  /** Local path of the whole site to go to afterwards. */
  returnTo: string;
  /** Back to the other ways to sign in. */
  onBack: () => void;
}

type Answer = { fields: Record<string, string> } | { poll: true };

export function Connect({ connection, name, returnTo, onBack }: ConnectProps) {
  const { t } = useT();
  const { handle } = useConsole();
  const client = useQueryClient();
  const key = ['login-step', connection];
  const path = { installation: connection };
  const begun = useQuery({
    queryKey: key,
    queryFn: () => take(handle.api.GET('/api/v1/login/{installation}/start', { params: { path, query: { return_to: returnTo } } })),
    // Asking again would begin another sign-in.
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const answer = useMutation({
    mutationFn: (body: Answer) => take(handle.api.POST('/api/v1/login/{installation}/callback', { params: { path }, body: body as never })),
    onSuccess: (next: unknown) => client.setQueryData(key, next),
  });
  const { mutate } = answer;
  const problem = begun.error ?? answer.error;
  const step = begun.data === undefined ? null : readLoginStep(begun.data);
  const told = begun.dataUpdatedAt;
  const pollMs = step && 'pollMs' in step && !problem ? step.pollMs : null;
  useEffect(() => {
    if (pollMs === null) return;
    const timer = setTimeout(() => mutate({ poll: true }), pollMs);
    return () => clearTimeout(timer);
  }, [pollMs, told, mutate]);
  useEffect(() => {
    if (step?.type === 'handover') follow(step.to);
    if (step?.type === 'done') location.assign(step.returnTo);
    // Once per answer of the server.
  }, [told]);

  return (
    <div className="stack" data-testid="login-step" data-step={step?.type}>
      {problem ? (
        <ErrorState compact error={problem} />
      ) : step?.type === 'prompt' ? (
        <Prompt key={told} fields={step.fields} busy={answer.isPending} onSubmit={(fields) => mutate({ fields })} />
      ) : step?.type === 'qr' ? (
        <ScanCode payload={step.payload} label={t('login.scan', { name })} testId="login-qr" />
      ) : step?.type === 'wait' ? (
        <Show what={step.show} />
      ) : step?.type === 'unknown' ? (
        <p role="alert">{t('login.cannot_show')}</p>
      ) : (
        <p className="row" role="status">
          <Spin size="small" /> {t('login.leaving', { name })}
        </p>
      )}
      {problem ? (
        <Button
          block
          size="large"
          onClick={() => {
            answer.reset();
            void client.resetQueries({ queryKey: key });
          }}
          data-testid="login-again"
        >
          {t('login.again')}
        </Button>
      ) : null}
      <Button type="link" block onClick={onBack} data-testid="login-back">
        {t('login.back')}
      </Button>
    </div>
  );
}

function Prompt({ fields, busy, onSubmit }: { fields: PromptField[]; busy: boolean; onSubmit: (values: Record<string, string>) => void }) {
  const { t } = useT();
  return (
    <Form<Record<string, string>>
      layout="vertical"
      requiredMark={false}
      // Names are the plugin's and may hold dots: the form must not read them as paths, so they are numbered.
      onFinish={(values) => onSubmit(Object.fromEntries(fields.map((f, i) => [f.name, values[`f${i}`] ?? ''])))}
    >
      {fields.map((f, i) => (
        <Form.Item key={f.name} name={`f${i}`} label={f.label || f.name} rules={[{ required: true, message: t('form.required') }]}>
          {f.secret ? <Input.Password size="large" autoComplete="off" autoFocus={i === 0} /> : <Input size="large" autoComplete={i === 0 ? 'username' : 'off'} autoFocus={i === 0} />}
        </Form.Item>
      ))}
      <Button type="primary" htmlType="submit" block size="large" loading={busy} data-testid="login-step-submit">
        {t('action.continue')}
      </Button>
    </Form>
  );
}

/** What a plugin wants to be shown while it waits: addresses become links, codes are made easy to read off. */
function Show({ what }: { what: Record<string, unknown> }) {
  const { t, locale } = useT();
  const lines = Object.entries(what).map(([key, value]) => [key, typeof value === 'number' ? String(value) : localized(value, locale)] as const);
  return (
    <div className="stack" data-testid="login-wait">
      {lines
        .filter(([, text]) => text !== '')
        .map(([key, text]) =>
          isWebAddress(text) ? (
            <a key={key} href={text} target="_blank" rel="noreferrer">
              {text}
            </a>
          ) : /code/i.test(key) ? (
            <span key={key} className="row">
              <code className="big">{text}</code> <CopyButton text={text} />
            </span>
          ) : (
            <p key={key}>{text}</p>
          ),
        )}
      <p className="row muted" role="status">
        <Spin size="small" /> {t('login.waiting')}
      </p>
    </div>
  );
}
