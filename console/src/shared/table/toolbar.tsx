/** The row above a table: search, filters, column chooser, CSV. */
import { CloseOutlined, DownloadOutlined, SearchOutlined, SettingOutlined } from '@ant-design/icons';
import { Button, Checkbox, Input, Popover, Select } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { useT } from '@/i18n';

export interface Filter {
  name: string;
  label: string;
  /** A closed set is a select; without it the filter is a text field. `period` offers time spans. */
  options?: { value: string; label: string }[];
  kind?: 'period';
  width?: number;
}

export interface ToolbarProps {
  searchLabel?: string;
  q: string;
  onSearch: (q: string) => void;
  filters: Filter[];
  values: Record<string, string>;
  onFilter: (name: string, value: string | undefined) => void;
  onClear: () => void;
  columns: { key: string; title: string; shown: boolean; fixed: boolean }[];
  onColumn: (key: string, shown: boolean) => void;
  onCsv?: () => void;
  csvBusy: boolean;
  csvRows: number;
}

export function Toolbar(props: ToolbarProps) {
  const { t } = useT();
  const periods = ['1h', '24h', '7d', '30d', '90d'] as const;
  const active = props.q !== '' || Object.keys(props.values).length > 0;
  return (
    <div className="toolbar" role="search">
      {props.searchLabel && <DebouncedInput value={props.q} label={props.searchLabel} onChange={props.onSearch} prefix={<SearchOutlined />} width={230} table />}
      {props.filters.map((f) =>
        f.options || f.kind ? (
          <Select
            key={f.name}
            aria-label={f.label}
            placeholder={f.label}
            allowClear
            value={props.values[f.name]}
            onChange={(v: string | undefined) => props.onFilter(f.name, v)}
            options={f.options ?? periods.map((p) => ({ value: p, label: t(`period.${p}`) }))}
            style={{ minWidth: f.width ?? 124 }}
            popupMatchSelectWidth={false}
            data-testid={`filter-${f.name}`}
          />
        ) : (
          <DebouncedInput key={f.name} value={props.values[f.name] ?? ''} label={f.label} onChange={(v) => props.onFilter(f.name, v || undefined)} width={f.width ?? 150} />
        ),
      )}
      {active && (
        <Button type="text" icon={<CloseOutlined />} onClick={props.onClear}>
          {t('table.clear')}
        </Button>
      )}
      <span className="grow" />
      <Popover
        trigger="click"
        placement="bottomRight"
        content={
          <div className="stack tight">
            {props.columns.map((c) => (
              <Checkbox key={c.key} checked={c.shown} disabled={c.fixed} onChange={(e) => props.onColumn(c.key, e.target.checked)}>
                {c.title}
              </Checkbox>
            ))}
          </div>
        }
      >
        <Button type="text" icon={<SettingOutlined />} aria-label={t('table.columns')} title={t('table.columns')} />
      </Popover>
      {props.onCsv && (
        <Button type="text" icon={<DownloadOutlined />} loading={props.csvBusy} onClick={props.onCsv} title={t('table.csv_hint')} data-testid="table-csv">
          {props.csvBusy ? t('table.csv_rows', { n: props.csvRows }) : 'CSV'}
        </Button>
      )}
    </div>
  );
}

function DebouncedInput({ value, label, onChange, prefix, width, table = false }: { value: string; label: string; onChange: (v: string) => void; prefix?: React.ReactNode; width: number; table?: boolean }) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    // The URL changed by other means (back button, cleared filters).
    if (value !== sent.current) {
      sent.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = text;
      onChange(text);
    }, 250);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  return (
    <Input
      {...(table ? { 'data-table-search': '' } : {})}
      aria-label={label}
      placeholder={label}
      value={text}
      prefix={prefix}
      suffix={table && !text ? <kbd>/</kbd> : undefined}
      allowClear
      onChange={(e) => setText(e.target.value)}
      style={{ width }}
    />
  );
}
