/** Fields of bounds: a list that bounds or does not, a size with its unit, a time. */
import { Checkbox, InputNumber, Select, Space } from 'antd';
import { useState } from 'react';
import { useT } from '@/i18n';

interface Field<T> {
  id?: string;
  /** Given by the form. */
  value?: T | null;
  onChange?: (value: T | null) => void;
}

export interface ListBoundProps extends Field<string[]> {
  label: string;
  options: { value: string; label: string }[];
  /** What the list begins with when it is switched on. */
  start: string[];
  /** Other values than the options may be typed. */
  free?: boolean;
  placeholder?: string;
}

/** Ticked, only what is in the list is let through; an empty list lets nothing through. */
export function ListBound({ id, value = null, onChange, label, options, start, free = false, placeholder }: ListBoundProps) {
  const { t } = useT();
  return (
    <div className="stack tight">
      <Checkbox id={value === null ? id : undefined} checked={value !== null} onChange={(e) => onChange?.(e.target.checked ? start : null)}>
        {label}
      </Checkbox>
      {value !== null && (
        <Select
          id={id}
          mode={free ? 'tags' : 'multiple'}
          aria-label={label}
          value={value}
          options={options}
          placeholder={placeholder}
          tokenSeparators={free ? [',', ' ', '\n'] : undefined}
          status={value.length === 0 ? 'warning' : undefined}
          onChange={(v: string[]) => onChange?.(v)}
          style={{ width: '100%' }}
        />
      )}
      {value?.length === 0 && <span className="field-help">{t('bound.nothing')}</span>}
    </div>
  );
}

const UNITS = [
  { value: 1, label: 'B' },
  { value: 2 ** 10, label: 'KiB' },
  { value: 2 ** 20, label: 'MiB' },
  { value: 2 ** 30, label: 'GiB' },
];

/** The largest unit in which the size is a whole number. */
export function unitFor(bytes: number | null | undefined): number {
  if (!bytes) return 2 ** 20;
  return [...UNITS].reverse().find((u) => bytes % u.value === 0)?.value ?? 1;
}

/** Bytes, typed in a unit of one's choice; empty does not bound. */
export function BytesInput({ id, value, onChange, placeholder }: Field<number> & { placeholder?: string }) {
  const { t } = useT();
  const [unit, setUnit] = useState(() => unitFor(value));
  // No more digits than somebody types: 0.1 MiB is not a whole number of bytes.
  const shown = typeof value === 'number' ? Math.round((value / unit) * 1000) / 1000 : null;
  const put = (n: number | null, of: number) => onChange?.(n === null ? null : Math.round(n * of));
  return (
    <Space.Compact block>
      <InputNumber id={id} min={0} value={shown} placeholder={placeholder} onChange={(n) => put(n, unit)} style={{ width: '100%' }} />
      <Select
        aria-label={t('bound.unit')}
        value={unit}
        options={UNITS}
        style={{ width: 76 }}
        onChange={(next: number) => {
          // The number stays as it was typed: the unit is what was wrong with it.
          setUnit(next);
          put(shown, next);
        }}
      />
    </Space.Compact>
  );
}

/** Milliseconds, typed in seconds; empty does not bound. */
export function SecondsInput({ id, value, onChange, placeholder }: Field<number> & { placeholder?: string }) {
  return (
    <InputNumber
      id={id}
      min={0}
      step={1}
      suffix="s"
      value={typeof value === 'number' ? value / 1000 : null}
      placeholder={placeholder}
      onChange={(n) => onChange?.(n === null ? null : Math.round(n * 1000))}
      style={{ width: '100%' }}
    />
  );
}
