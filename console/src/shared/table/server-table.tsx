/** The table of every list: search, sort, filters and page in the URL, columns to choose, CSV of everything, keys j/k/Enter. */
import { LeftOutlined, RightOutlined } from '@ant-design/icons';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button, Table, type TableColumnType } from 'antd';
import { useCallback, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import type { Page } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { formatNumber } from '@/shared/format';
import { useShowProblem } from '@/shared/ui/act/action';
import { useGo } from '@/shared/ui/link';
import { EmptyState, ErrorState, type EmptyProps } from '@/shared/ui/states';
import { fetchAll, saveCsv, toCsv } from './csv';
import { parseSort, periodStart, useTableState } from './state';
import { Toolbar, type Filter } from './toolbar';

export interface Column<T> {
  key: string;
  title: string;
  render: (row: T) => ReactNode;
  /** The cell in the CSV; a column without it is left out. */
  csv?: (row: T) => string | number | boolean | null | undefined;
  /** The field the server sorts by; `true` means the column's key. */
  sort?: true | string;
  align?: 'right';
  width?: number | string;
  /** Not shown until chosen. */
  hidden?: boolean;
  ellipsis?: boolean;
}

export interface ListQuery {
  limit: number;
  cursor?: string;
  q?: string;
  sort?: string;
  [filter: string]: string | number | undefined;
}

export interface ServerTableProps<T> {
  /** Names the table in storage, cache and the CSV file. */
  id: string;
  columns: Column<T>[];
  load: (query: ListQuery) => Promise<Page<T>>;
  rowKey: (row: T) => string;
  empty: EmptyProps;
  filters?: Filter[];
  searchLabel?: string;
  defaultSort?: string;
  /** Where a row leads, if anywhere. */
  href?: (row: T) => string;
  onOpen?: (row: T) => void;
  pageSize?: number;
  /** Milliseconds between re-reads while the page is visible. */
  refreshMs?: number;
}

function savedColumns(id: string): Record<string, boolean> {
  try {
    return JSON.parse(localStorage.getItem(`aistack.columns.${id}`) ?? '{}') as Record<string, boolean>;
  } catch {
    return {};
  }
}

export function ServerTable<T extends object>(props: ServerTableProps<T>) {
  const { t } = useT();
  const scope = useScope();
  const go = useGo();
  const show = useShowProblem();
  const filters = props.filters ?? [];
  const { state, patch } = useTableState(filters.map((f) => f.name), props.defaultSort);
  const [choice, setChoice] = useState(() => savedColumns(props.id));
  const [csvRows, setCsvRows] = useState<number | null>(null);
  const trail = useRef<string[]>([]);
  const pageSize = props.pageSize ?? 50;

  const query = useMemo((): ListQuery => {
    const out: ListQuery = { limit: pageSize };
    if (state.q) out.q = state.q;
    if (state.sort) out.sort = state.sort;
    if (state.cursor) out.cursor = state.cursor;
    for (const f of filters) {
      const value = state.filters[f.name];
      if (!value) continue;
      if (f.kind === 'period') out.from = periodStart(value, Date.now());
      else out[f.name] = value;
    }
    return out;
    // The filters' names decide, not the array's identity.
  }, [state, pageSize]);

  const list = useQuery({
    queryKey: [scope.key, props.id, 'list', query],
    queryFn: () => props.load(query),
    placeholderData: keepPreviousData,
    refetchInterval: props.refreshMs,
  });

  const shown = (c: Column<T>) => choice[c.key] ?? !c.hidden;
  const visible = props.columns.filter((c, i) => i === 0 || shown(c));
  const sort = parseSort(state.sort);
  const columns = visible.map((c): TableColumnType<T> => {
    const field = c.sort === true ? c.key : c.sort;
    return {
      key: c.key,
      title: c.title,
      render: (_, row) => c.render(row),
      align: c.align,
      width: c.width,
      ellipsis: c.ellipsis ? { showTitle: false } : undefined,
      sorter: !!field,
      sortOrder: field && sort?.field === field ? (sort.descending ? 'descend' : 'ascend') : null,
      showSorterTooltip: false,
    };
  });

  const onColumn = (key: string, on: boolean) => {
    const next = { ...choice, [key]: on };
    setChoice(next);
    try {
      localStorage.setItem(`aistack.columns.${props.id}`, JSON.stringify(next));
    } catch {
      // Not remembered then.
    }
  };

  const change = useCallback(
    (p: Parameters<typeof patch>[0]) => {
      trail.current = [];
      patch(p, p.q !== undefined);
    },
    [patch],
  );
  const onSearch = useCallback((q: string) => change({ q }), [change]);

  const csv = async () => {
    setCsvRows(0);
    try {
      const rows = await fetchAll((cursor) => props.load({ ...query, limit: 200, cursor }), setCsvRows);
      const cells = props.columns.flatMap((c) => (c.csv ? [{ title: c.title, value: c.csv }] : []));
      saveCsv(`${props.id}.csv`, toCsv(cells, rows));
    } catch (error) {
      show(error);
    } finally {
      setCsvRows(null);
    }
  };

  const open = (row: T) => {
    if (props.onOpen) props.onOpen(row);
    else if (props.href) go(props.href(row));
  };
  const canOpen = !!(props.onOpen || props.href);
  const items = list.data?.items ?? [];
  const filtered = state.q !== '' || Object.keys(state.filters).length > 0;

  return (
    <div className="server-table" onKeyDown={(e) => moveRow(e)}>
      <Toolbar
        searchLabel={props.searchLabel}
        q={state.q}
        onSearch={onSearch}
        filters={filters}
        values={state.filters}
        onFilter={(name, value) => change({ filters: { [name]: value } })}
        onClear={() => change({ q: '', filters: Object.fromEntries(filters.map((f) => [f.name, undefined])) })}
        columns={props.columns.map((c, i) => ({ key: c.key, title: c.title, shown: i === 0 || shown(c), fixed: i === 0 }))}
        onColumn={onColumn}
        onCsv={props.columns.some((c) => c.csv) ? () => void csv() : undefined}
        csvBusy={csvRows !== null}
        csvRows={csvRows ?? 0}
      />
      {list.isError && !list.data ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : !list.isPending && items.length === 0 && !filtered && !state.cursor ? (
        <EmptyState {...props.empty} />
      ) : (
        <>
          {list.isError && <ErrorState compact error={list.error} retry={() => void list.refetch()} />}
          <Table<T>
            size="small"
            rowKey={props.rowKey}
            columns={columns}
            dataSource={items}
            loading={{ spinning: list.isPending, delay: 100 }}
            pagination={false}
            scroll={{ x: 'max-content' }}
            locale={{ emptyText: list.isPending ? ' ' : t('table.no_match') }}
            onChange={(_, __, sorter) => {
              const s = Array.isArray(sorter) ? sorter[0] : sorter;
              const column = props.columns.find((c) => c.key === s?.columnKey);
              const field = column?.sort === true ? column.key : column?.sort;
              change({ sort: s?.order && field ? `${s.order === 'descend' ? '-' : ''}${field}` : '' });
            }}
            onRow={(row) => ({
              tabIndex: canOpen ? 0 : undefined,
              'data-row': props.rowKey(row),
              className: canOpen ? 'clickable' : undefined,
              onClick: (e) => {
                // Links, buttons and text being selected keep their own meaning.
                if (!canOpen || (e.target as HTMLElement).closest('a,button,input,label,[role=menuitem]') || getSelection()?.toString()) return;
                open(row);
              },
              onKeyDown: (e) => {
                if (canOpen && e.key === 'Enter' && e.target === e.currentTarget) open(row);
              },
            })}
          />
          <div className="table-foot">
            <span className="muted small" role="status">
              {typeof list.data?.total === 'number' ? t('table.total', { n: list.data.total }) : items.length > 0 ? t('table.shown', { n: formatNumber(items.length) }) : ''}
            </span>
            <span className="row">
              {state.cursor && (
                <Button size="small" icon={<LeftOutlined />} onClick={() => patch({ cursor: trail.current.pop() ?? '' })}>
                  {trail.current.length > 0 ? t('table.previous') : t('table.first')}
                </Button>
              )}
              {list.data?.next && (
                <Button
                  size="small"
                  onClick={() => {
                    if (state.cursor) trail.current.push(state.cursor);
                    patch({ cursor: list.data?.next ?? '' });
                  }}
                >
                  {t('table.next')} <RightOutlined />
                </Button>
              )}
            </span>
          </div>
        </>
      )}
    </div>
  );
}

/** `j`/`k` and the arrows walk through the rows. */
function moveRow(e: KeyboardEvent<HTMLDivElement>): void {
  const target = e.target as HTMLElement;
  if (target.closest('input,textarea,[role=combobox]') || e.ctrlKey || e.metaKey || e.altKey) return;
  const step = e.key === 'j' || e.key === 'ArrowDown' ? 1 : e.key === 'k' || e.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  const rows = [...e.currentTarget.querySelectorAll<HTMLElement>('tr[data-row]')];
  const at = rows.findIndex((r) => r.contains(document.activeElement));
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
  if (next) {
    e.preventDefault();
    next.focus();
  }
}
