/** A new member, with or without a password. */
import { Form, Input, Select } from 'antd';
import { take } from '@/api/client';
import type { User } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { FormDrawer } from '@/shared/ui/form/drawer';
import { ROLES } from './list';

interface Values {
  name: string;
  email: string;
  role: (typeof ROLES)[number];
  password?: string;
}

export function AddMember({ onClose }: { onClose: () => void }) {
  const { t, tv } = useT();
  const scope = useScope();
  return (
    <FormDrawer<Values, User>
      name="member"
      title={t('members.add')}
      submitLabel={t('members.add')}
      initial={{ name: '', email: '', role: 'member' }}
      fields={['name', 'email', 'role', 'password']}
      run={({ password, ...v }) => take(scope.api.POST('/api/v1/users', { body: { ...v, ...(password ? { password } : {}) } }))}
      invalidate={[[scope.key, 'members']]}
      done={(user) => t('members.added', { name: user.name })}
      copy={(v) => ({ method: 'POST', path: '/api/v1/users', body: { ...v, password: undefined }, cli: ['user', 'create', v.email || 'EMAIL', '--name', v.name || 'NAME', '--role', v.role] })}
      onClose={onClose}
    >
      {() => (
        <>
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
        </>
      )}
    </FormDrawer>
  );
}
