/** Setting the most a plugin may be granted. */
import { Form, InputNumber, Switch } from 'antd';
import type { Api } from '@/api/client';
import { useT } from '@/i18n';
import { FormDrawer } from '@/shared/ui/form/drawer';
import { Notice } from '@/shared/ui/notice';
import { BytesInput, ListBound } from '../controls';
import { ceilingBody, LISTS, REACHING, type Ceiling, type Declared, type ListName } from './ceiling';
import { ceilingArguments, ceilingPath, putCeiling, type Whose } from './calls';
import { SecretsBound } from './secrets';

export interface CeilingFormProps {
  api: Api;
  whose: Whose;
  ceiling: Ceiling;
  declared: Declared;
  /** Lists and objects to read again afterwards. */
  invalidate: unknown[][];
  onSaved: () => void;
  onClose: () => void;
}

export function CeilingForm({ api, whose, ceiling, declared, invalidate, onSaved, onClose }: CeilingFormProps) {
  const { t, tv } = useT();
  const hosts = (name: ListName) => name === 'http_hosts' || name === 'dial_targets' || name === 'private_hosts';
  const words = (name: ListName, value: string) => {
    const text = name === 'interfaces' ? tv('interface', value) : value;
    return { value, label: text === value ? value : `${value} · ${text}` };
  };
  return (
    <FormDrawer<Ceiling, unknown>
      name="ceiling"
      title={whose.tenant ? t('ceiling.title_in', { plugin: whose.plugin, tenant: whose.tenant }) : t('ceiling.title', { plugin: whose.plugin })}
      initial={ceiling}
      unmarked
      fields={['allowed', ...LISTS.map((name) => `grants.${name}`), 'grants.secrets', 'grants.kv_bytes', 'grants.kv_keys']}
      run={(v) => putCeiling(api, whose, { ...v, grants: { ...ceiling.grants, ...v.grants } })}
      invalidate={invalidate}
      copy={(v) => ({ method: 'PUT', path: ceilingPath(whose), body: ceilingBody(v), cli: ceilingArguments(whose, v) })}
      after={onSaved}
      onClose={onClose}
    >
      {(values) => (
        <>
          <Form.Item name="allowed" valuePropName="checked" label={t('ceiling.allowed')} extra={t('ceiling.at_once')}>
            <Switch />
          </Form.Item>
          {!values.allowed && (
            <Notice tone="warn" title={t('ceiling.forbids')} testId="ceiling-forbids">
              <p className="muted">{t('ceiling.forbids_text')}</p>
            </Notice>
          )}
          {LISTS.map((name) => {
            const values = name === 'interfaces' ? REACHING : declared.lists[name];
            return (
              <Form.Item key={name} name={['grants', name]} extra={name === 'http_hosts' && declared.fromConfig ? t('bound.from_config') : name === 'interfaces' ? t('bound.interfaces_help') : undefined} data-testid={`bound-${name}`}>
                <ListBound label={t(`bound.${name}`)} options={values.map((v) => words(name, v))} start={declared.lists[name]} free={name !== 'interfaces'} placeholder={hosts(name) ? 'api.example.com, *.example.com' : undefined} />
              </Form.Item>
            );
          })}
          <Form.Item name={['grants', 'secrets']}>
            <SecretsBound declared={declared.secrets} />
          </Form.Item>
          <div className="grid-2">
            <Form.Item name={['grants', 'kv_bytes']} label={t('bound.kv_bytes')}>
              <BytesInput placeholder={t('bound.none')} />
            </Form.Item>
            <Form.Item name={['grants', 'kv_keys']} label={t('bound.kv_keys')}>
              <InputNumber min={0} precision={0} placeholder={t('bound.none')} style={{ width: '100%' }} />
            </Form.Item>
          </div>
        </>
      )}
    </FormDrawer>
  );
}
