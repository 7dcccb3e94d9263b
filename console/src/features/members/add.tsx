/** A new member, with or without a password. */
import { Button, Drawer, Form, Input, Select } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { ApiProblem } from '@/api/problem';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/action';
import { CopyAs } from '@/shared/ui/copy-as';
import { showFieldErrors } from '@/shared/ui/field-errors';
import { ErrorState } from '@/shared/ui/states';
import { ROLES } from './list';

interface Values {
  name: string;
  email: string;
  role: (typeof ROLES)[number];
  password?: string;
}

export function AddMember({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t, tv } = useT();
  const scope = useScope();
  const [form] = Form.useForm<Values>();
  const values = Form.useWatch([], form) as Values | undefined;
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const add = useAction({
    run: ({ password, ...v }: Values) => take(scope.api.POST('/api/v1/users', { body: { ...v, ...(password ? { password } : {}) } })),
    invalidate: [[scope.key, 'members']],
    problem: (p) => {
      setProblem(p);
      showFieldErrors(form, p, ['name', 'email', 'role', 'password']);
      return true;
    },
    done: (user) => t('members.added', { name: user.name }),
    after: onClose,
  });
  return (
    <Drawer
      open={open}
      onClose={onClose}
      title={t('members.add')}
      size={420}
      destroyOnHidden
      afterOpenChange={(now) => !now && setProblem(null)}
      footer={
        <div className="row spread">
          <CopyAs method="POST" path="/api/v1/users" body={{ ...values, password: undefined }} cli={['user', 'create', values?.email || 'EMAIL', '--name', values?.name || 'NAME', '--role', values?.role ?? 'member']} />
          <span className="row">
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="primary" loading={add.isPending} htmlType="submit" form="member-form" data-testid="member-submit">
              {t('members.add')}
            </Button>
          </span>
        </div>
      }
    >
      <Form<Values> id="member-form" form={form} layout="vertical" initialValues={{ role: 'member' }} preserve={false} onFinish={(v) => add.mutate(v)}>
        {problem && <ErrorState compact error={problem} />}
        <Form.Item name="name" label={t('field.name')} rules={[{ required: true, message: t('form.required') }]}>
          <Input autoComplete="off" autoFocus />
        </Form.Item>
        <Form.Item name="email" label={t('field.email')} rules={[{ required: true, type: 'email', message: t('setup.email_rule') }]}>
          <Input autoComplete="off" inputMode="email" />
        </Form.Item>
        <Form.Item name="role" label={t('field.role')} required>
          <Select options={ROLES.map((value) => ({ value, label: tv('role', value) }))} />
        </Form.Item>
        <Form.Item name="password" label={t('field.password')} extra={t('tenants.owner_password')} rules={[{ min: 12, message: t('password.short') }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
      </Form>
    </Drawer>
  );
}
