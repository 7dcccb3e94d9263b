/** The controls, one per widget. */
import { Input, InputNumber, Radio, Select, Switch } from 'antd';
import { useT } from '@/i18n';
import { CodeField, KeyValueField, ListField } from './compound';
import { ObjectFields } from './form';
import type { RowProps } from './row';
import { typesOf, type Json, type JsonObject } from './schema';
import { SecretField } from './secret';
import { isObject } from './values';

export interface ControlProps extends RowProps {
  id: string;
  describedBy?: string;
  invalid: boolean;
}

export function Control(props: ControlProps) {
  const { t } = useT();
  const { field, value, onChange, id, invalid } = props;
  const s = field.schema;
  const disabled = props.disabled || s.readOnly;
  const common = { id, disabled, status: invalid ? ('error' as const) : undefined, 'aria-describedby': props.describedBy, 'aria-invalid': invalid || undefined, 'aria-required': field.required || undefined };
  const text = typeof value === 'string' ? value : '';
  const emptied = (v: string): Json => (v === '' ? (field.nullable && field.required ? null : undefined) : v);

  switch (field.widget) {
    case 'textarea':
      return <Input.TextArea {...common} value={text} autoSize={{ minRows: 3, maxRows: 14 }} placeholder={field.placeholder} onChange={(e) => onChange(emptied(e.target.value))} />;
    case 'number':
      return (
        <InputNumber
          {...common}
          style={{ width: 180 }}
          value={typeof value === 'number' ? value : null}
          min={s.minimum}
          max={s.maximum}
          step={s.multipleOf ?? 1}
          precision={typesOf(s).includes('integer') ? 0 : undefined}
          placeholder={field.placeholder}
          onChange={(v) => onChange(v === null ? undefined : Number(v))}
        />
      );
    case 'switch':
      return <Switch id={id} size="small" disabled={disabled} checked={value === true} aria-describedby={props.describedBy} onChange={onChange} />;
    case 'radio':
      return (
        <Radio.Group
          id={id}
          disabled={disabled}
          value={value}
          optionType="button"
          aria-labelledby={`${id}-label`}
          options={field.options.map((o) => ({ value: o.value as string, label: o.label }))}
          onChange={(e) => onChange(e.target.value as Json)}
        />
      );
    case 'select':
      return (
        <Select
          {...common}
          value={value === undefined ? undefined : JSON.stringify(value)}
          allowClear={!field.required}
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={field.placeholder}
          style={{ width: '100%' }}
          options={field.options.map((o) => ({ value: JSON.stringify(o.value), label: o.label }))}
          onChange={(v?: string) => onChange(v === undefined ? undefined : (JSON.parse(v) as Json))}
        />
      );
    case 'multiselect':
      return (
        <Select
          {...common}
          mode="multiple"
          value={(Array.isArray(value) ? value : []).map((v) => JSON.stringify(v))}
          placeholder={field.placeholder}
          style={{ width: '100%' }}
          options={field.options.map((o) => ({ value: JSON.stringify(o.value), label: o.label }))}
          onChange={(v: string[]) => onChange(v.map((x) => JSON.parse(x) as Json))}
        />
      );
    case 'tags':
      return (
        <Select
          {...common}
          mode="tags"
          open={false}
          suffixIcon={null}
          tokenSeparators={[',', ' ', '\n']}
          value={(Array.isArray(value) ? value : []) as string[]}
          placeholder={field.placeholder || t('schema.tags_hint')}
          style={{ width: '100%' }}
          onChange={(v: string[]) => onChange(v.length === 0 && !field.required ? undefined : v)}
        />
      );
    case 'keyvalue':
      return <KeyValueField value={isObject(value) ? (value as Record<string, string>) : {}} onChange={onChange} label={field.title} disabled={disabled} />;
    case 'date':
      return <Input {...common} type="date" style={{ width: 180 }} value={text} onChange={(e) => onChange(emptied(e.target.value))} />;
    case 'secret':
      return <SecretField {...props} />;
    case 'code':
      return <CodeField {...common} value={value} onChange={onChange} />;
    case 'list':
      return <ListField {...props} />;
    case 'object':
      return (
        <div className="schema-nested" role="group" aria-labelledby={`${id}-label`}>
          <ObjectFields
            schema={s}
            value={isObject(value) ? value : {}}
            onChange={(v: JsonObject) => onChange(v)}
            errors={props.errors}
            secrets={props.secrets}
            disabled={disabled}
            root={props.root}
            rootValue={props.rootValue}
            base={props.pointer}
          />
        </div>
      );
    case 'const':
      return <Input {...common} value={typeof s.const === 'string' ? s.const : JSON.stringify(s.const)} readOnly />;
    default:
      return (
        <Input
          {...common}
          value={text}
          placeholder={field.placeholder}
          autoComplete="off"
          spellCheck={false}
          inputMode={s.format === 'uri' || s.format === 'url' ? 'url' : s.format === 'email' ? 'email' : undefined}
          className={s.format === 'uri' || s.format === 'url' || s.format === 'hostname' ? 'mono' : undefined}
          onChange={(e) => onChange(emptied(e.target.value))}
        />
      );
  }
}
