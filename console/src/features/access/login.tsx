/** Sign-in: email and password, and a button per connection of the tenant. */
import { LoginOutlined } from '@ant-design/icons';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Divider, Form, Input } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import { ApiProblem } from '@/api/problem';
import { useConsole } from '@/app/console';
import { useT } from '@/i18n';
import { useSearch } from '@/shared/table/state';
import { useAction } from '@/shared/ui/act/action';
import { showFieldErrors } from '@/shared/ui/form/field-errors';
import { useGo } from '@/shared/ui/link';
import { ErrorState } from '@/shared/ui/states';
import { Connect } from './connect';
import { Gate } from './gate';

interface Values {
  email: string;
  password: string;
}

/** Only paths of this console may follow the sign-in: a full address in the link would be an open redirect. */
export function safeReturn(wanted: string | undefined): string {
  return wanted && /^\/(?![/\\])/.test(wanted) && !wanted.startsWith('/login') && !wanted.startsWith('/setup') ? wanted : '/';
}

export function LoginPage() {
  const { t } = useT();
  const { handle, meta, place } = useConsole();
  const [search, setSearch] = useSearch();
  const client = useQueryClient();
  const go = useGo();
  const [form] = Form.useForm<Values>();
  const returnTo = safeReturn(search.return);
  const [problem, setProblem] = useState<ApiProblem | null>(() => (search.error ? new ApiProblem({ code: search.error, reason: search.reason, request_id: search.request_id }, 401, null) : null));

  const tenantRealm = meta.realm === 'tenant';
  const methods = useQuery({
    queryKey: ['login-methods'],
    queryFn: () => take(handle.api.GET('/api/v1/login/methods')),
    enabled: tenantRealm,
  });
  const signIn = useAction({
    run: (values: Values) => take(handle.api.POST('/api/v1/session', { body: values })),
    problem: (p) => {
      setProblem(p);
      showFieldErrors(form, p, ['email', 'password']);
      return true;
    },
    after: (session) => {
      handle.csrf.token = session.csrf_token;
      client.removeQueries({ predicate: (q) => q.queryKey[0] !== 'meta' });
      client.setQueryData(['session'], session);
      const [path, query] = returnTo.split('?');
      go(path ?? '/', Object.fromEntries(new URLSearchParams(query ?? '')), true);
    },
  });
  const connections = methods.data?.connections ?? [];
  const passwordAllowed = !tenantRealm || methods.data?.password !== false;
  const startUrl = (id: string) => `${place.apiBase}/api/v1/login/${encodeURIComponent(id)}/start?return_to=${encodeURIComponent(place.basePath + returnTo)}`;

  // The server sends people here when a connection asks for more than a visit to the provider.
  if (tenantRealm && search.connection) {
    const name = connections.find((c) => c.id === search.connection)?.name ?? '';
    return (
      <Gate title={t('login.title_tenant', { name: meta.tenant?.name ?? '' })} text={name || undefined}>
        <Connect connection={search.connection} name={name} returnTo={place.basePath + returnTo} onBack={() => setSearch(search.return ? { return: search.return } : {})} />
      </Gate>
    );
  }
  return (
    <Gate title={tenantRealm ? t('login.title_tenant', { name: meta.tenant?.name ?? '' }) : t('login.title')} text={tenantRealm ? undefined : t('login.text')}>
      {problem && <ErrorState compact error={problem} />}
      {connections.length > 0 && (
        <div className="stack connections">
          {connections.map((c) => (
            <Button key={c.id} size="large" block icon={<LoginOutlined />} href={startUrl(c.id)} data-testid={`login-with-${c.id}`} data-connection={c.name}>
              {t('login.with', { name: c.name })}
            </Button>
          ))}
        </div>
      )}
      {connections.length > 0 && passwordAllowed && <Divider plain>{t('login.or')}</Divider>}
      {passwordAllowed && (
        <Form<Values>
          form={form}
          layout="vertical"
          requiredMark={false}
          onFinish={(values) => {
            setProblem(null);
            signIn.mutate(values);
          }}
          data-testid="login-form"
        >
          <Form.Item name="email" label={t('field.email')} rules={[{ required: true, message: t('form.required') }]}>
            <Input autoComplete="username" inputMode="email" size="large" autoFocus />
          </Form.Item>
          <Form.Item name="password" label={t('field.password')} rules={[{ required: true, message: t('form.required') }]}>
            <Input.Password autoComplete="current-password" size="large" />
          </Form.Item>
          <Button type="primary" htmlType="submit" block size="large" loading={signIn.isPending} data-testid="login-submit">
            {t('login.submit')}
          </Button>
        </Form>
      )}
    </Gate>
  );
}
