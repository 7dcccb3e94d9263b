/** The first operator account, made through the one-time link the server printed. */
import { useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { ApiProblem } from '@/api/problem';
import { useConsole } from '@/app/console';
import { useT } from '@/i18n';
import { useSearch } from '@/shared/table/state';
import { useAction } from '@/shared/ui/act/action';
import { showFieldErrors } from '@/shared/ui/form/field-errors';
import { useGo } from '@/shared/ui/link';
import { ErrorState } from '@/shared/ui/states';
import { Gate } from './gate';
import { PasswordStrength } from './password-strength';

interface Values {
  name: string;
  email: string;
  password: string;
  token: string;
}

export function SetupPage() {
  const { t } = useT();
  const { handle, meta } = useConsole();
  const [search] = useSearch();
  const client = useQueryClient();
  const go = useGo();
  const [form] = Form.useForm<Values>();
  const password = Form.useWatch('password', form) ?? '';
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const setup = useAction({
    run: (values: Values) => take(handle.api.POST('/api/v1/setup', { body: { ...values, token: values.token.trim() } })),
    problem: (p) => {
      setProblem(p);
      showFieldErrors(form, p, ['name', 'email', 'password', 'token']);
      return true;
    },
    after: async () => {
      await client.resetQueries({ queryKey: ['meta'] });
      await client.resetQueries({ queryKey: ['session'] });
      go('/', {}, true);
    },
  });
  if (!meta.setup_needed && !setup.isSuccess && !setup.isPending) {
    return (
      <Gate title={t('setup.done_title')} text={t('setup.done_text')}>
        <Button type="primary" block size="large" onClick={() => go('/login', {}, true)}>
          {t('login.submit')}
        </Button>
      </Gate>
    );
  }
  return (
    <Gate title={t('setup.title')} text={t('setup.text')}>
      <Form<Values>
        form={form}
        layout="vertical"
        initialValues={{ token: search.token ?? '' }}
        onFinish={(values) => {
          setProblem(null);
          setup.mutate(values);
        }}
        data-testid="setup-form"
      >
        {problem && <ErrorState compact error={problem} />}
        <Form.Item name="token" label={t('setup.token')} hidden={!!search.token && problem?.code !== 'setup_token_invalid'} rules={[{ required: true, message: t('form.required') }]}>
          <Input autoComplete="off" spellCheck={false} className="mono" />
        </Form.Item>
        <Form.Item name="name" label={t('setup.name')} rules={[{ required: true, message: t('form.required') }]}>
          <Input autoComplete="name" autoFocus size="large" />
        </Form.Item>
        <Form.Item name="email" label={t('field.email')} rules={[{ required: true, type: 'email', message: t('setup.email_rule') }]}>
          <Input autoComplete="username" inputMode="email" size="large" />
        </Form.Item>
        <Form.Item
          name="password"
          label={t('field.password')}
          extra={<PasswordStrength value={password} />}
          rules={[
            { required: true, message: t('form.required') },
            { min: 12, message: t('password.short') },
          ]}
        >
          <Input.Password autoComplete="new-password" size="large" />
        </Form.Item>
        <Button type="primary" htmlType="submit" block size="large" loading={setup.isPending} data-testid="setup-submit">
          {t('setup.submit')}
        </Button>
      </Form>
    </Gate>
  );
}
