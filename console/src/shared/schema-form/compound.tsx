/** Controls made of several: names with values, lists of objects, raw JSON. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Input } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { useT } from '@/i18n';
import { ObjectFields } from './form';
import type { Json, JsonObject } from './schema';
import { defaultsOf, isObject } from './values';
import type { ControlProps } from './widgets';

interface KeyValueProps {
  value: Record<string, string>;
  onChange: (value: Json) => void;
  label: string;
  disabled?: boolean;
}

/** Rows keep their place while a name is being typed; only named rows become part of the value. */
export function KeyValueField({ value, onChange, label, disabled }: KeyValueProps) {
  const { t } = useT();
  const [rows, setRows] = useState<[string, string][]>(() => Object.entries(value));
  const sent = useRef(JSON.stringify(value));
  useEffect(() => {
    const now = JSON.stringify(value);
    if (now !== sent.current) {
      sent.current = now;
      setRows(Object.entries(value));
    }
  }, [value]);
  const update = (next: [string, string][]) => {
    setRows(next);
    const object = Object.fromEntries(next.filter(([name]) => name !== ''));
    sent.current = JSON.stringify(object);
    onChange(object);
  };
  return (
    <div className="stack tight" role="group" aria-label={label}>
      {rows.map(([name, text], i) => (
        <div className="row" key={i}>
          <Input aria-label={t('schema.key')} placeholder={t('schema.key')} value={name} disabled={disabled} onChange={(e) => update(rows.map((r, j) => (j === i ? [e.target.value, r[1]] : r)))} />
          <Input aria-label={t('schema.value')} placeholder={t('schema.value')} value={text} disabled={disabled} onChange={(e) => update(rows.map((r, j) => (j === i ? [r[0], e.target.value] : r)))} />
          <Button type="text" icon={<DeleteOutlined />} aria-label={t('action.remove')} disabled={disabled} onClick={() => update(rows.filter((_, j) => j !== i))} />
        </div>
      ))}
      <Button type="dashed" size="small" icon={<PlusOutlined />} disabled={disabled} onClick={() => setRows([...rows, ['', '']])} className="fit">
        {t('schema.add')}
      </Button>
    </div>
  );
}

export function ListField({ field, value, onChange, pointer, errors, secrets, disabled, root, rootValue, id }: ControlProps) {
  const { t } = useT();
  const items = Array.isArray(value) ? value : [];
  const itemSchema = field.schema.items ?? {};
  return (
    <div className="stack tight" role="group" aria-labelledby={`${id}-label`}>
      {items.map((item, i) => (
        <div className="schema-nested" key={i}>
          <Button type="text" size="small" className="nested-remove" icon={<DeleteOutlined />} aria-label={t('action.remove')} disabled={disabled} onClick={() => onChange(items.filter((_, j) => j !== i))} />
          <ObjectFields
            schema={itemSchema}
            value={isObject(item) ? item : {}}
            onChange={(next: JsonObject) => onChange(items.map((old, j) => (j === i ? next : old)))}
            errors={errors}
            secrets={secrets}
            disabled={disabled}
            root={root}
            rootValue={rootValue}
            base={`${pointer}/${i}`}
          />
        </div>
      ))}
      <Button
        type="dashed"
        size="small"
        icon={<PlusOutlined />}
        className="fit"
        disabled={disabled || (field.schema.maxItems !== undefined && items.length >= field.schema.maxItems)}
        onClick={() => onChange([...items, defaultsOf(itemSchema, root) ?? {}])}
      >
        {t('schema.add')}
      </Button>
    </div>
  );
}

interface CodeProps {
  id: string;
  value: Json;
  onChange: (value: Json) => void;
  disabled?: boolean;
  status?: 'error';
}

/** For what no other control can show: JSON as text, kept as typed until it parses. */
export function CodeField({ value, onChange, status, ...rest }: CodeProps) {
  const { t } = useT();
  const [text, setText] = useState(() => (value === undefined ? '' : JSON.stringify(value, null, 2)));
  const [broken, setBroken] = useState(false);
  return (
    <>
      <Input.TextArea
        {...rest}
        status={broken ? 'error' : status}
        className="mono"
        spellCheck={false}
        value={text}
        autoSize={{ minRows: 3, maxRows: 18 }}
        onChange={(e) => {
          setText(e.target.value);
          if (e.target.value.trim() === '') {
            setBroken(false);
            onChange(undefined);
            return;
          }
          try {
            onChange(JSON.parse(e.target.value) as Json);
            setBroken(false);
          } catch {
            setBroken(true);
          }
        }}
      />
      {broken && <p className="field-error">{t('schema.json')}</p>}
    </>
  );
}
