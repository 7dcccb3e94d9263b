/** The command palette: every page, the common actions and the objects, a few keys away. */
import { useQuery } from '@tanstack/react-query';
import { Modal } from 'antd';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { take } from '@/api/client';
import { useScope, type Scope } from '@/api/scope';
import { getLocale, localized, setLocale, useT } from '@/i18n';
import { useGo } from '@/shared/ui/link';
import { useConsole } from './console';
import { operatorNav, tenantNav } from './nav';
import { setThemeChoice, useTheme } from './theme';

interface Entry {
  id: string;
  group: string;
  label: string;
  hint?: string;
  run: () => void;
}

interface Found {
  id: string;
  group: 'palette.tenants' | 'palette.members' | 'palette.plugins' | 'palette.orders';
  label: string;
  hint: string;
  path: string;
}

/** Asks the server for objects; a list that the person may not see or that fails is simply absent. */
async function findObjects(scope: Scope, q: string): Promise<Found[]> {
  const query = { q, limit: 5 };
  const quiet = async (allowed: boolean, load: () => Promise<Found[]>): Promise<Found[]> => (allowed ? load().catch(() => []) : []);
  const lists =
    scope.realm === 'operator' && scope.apiBase === ''
      ? [
          quiet(scope.can('platform.tenant:read'), async () =>
            (await take(scope.api.GET('/api/v1/tenants', { params: { query } }))).items.map((x) => ({ id: x.id, group: 'palette.tenants', label: x.name, hint: x.slug, path: `/tenants/${x.slug}` }) as const),
          ),
          quiet(scope.can('platform.plugin:read'), async () =>
            (await take(scope.api.GET('/api/v1/plugins', { params: { query } }))).items.map((x) => ({ id: x.id, group: 'palette.plugins', label: localized(x.name, getLocale(), x.plugin_id), hint: x.version, path: `/plugins/${x.id}` }) as const),
          ),
        ]
      : [
          quiet(scope.can('user:read'), async () =>
            (await take(scope.api.GET('/api/v1/users', { params: { query } }))).items.map((x) => ({ id: x.id, group: 'palette.members', label: x.name, hint: x.email, path: `/members?q=${encodeURIComponent(x.email)}` }) as const),
          ),
          quiet(scope.can('order:read'), async () =>
            (await take(scope.api.GET('/api/v1/orders', { params: { query } }))).items.map((x) => ({ id: x.id, group: 'palette.orders', label: `#${x.number} ${x.description}`, hint: x.status, path: `/orders/${x.id}` }) as const),
          ),
          quiet(scope.can('plugin:read'), async () =>
            (await take(scope.api.GET('/api/v1/installations', { params: { query } }))).items.map((x) => ({ id: x.id, group: 'palette.plugins', label: x.name, hint: x.plugin_id, path: `/plugins/${x.id}` }) as const),
          ),
        ];
  return (await Promise.all(lists)).flat();
}

/** Every word of the query must occur, in any order. */
export function matchesQuery(text: string, q: string): boolean {
  const haystack = text.toLowerCase();
  return q.toLowerCase().split(/\s+/).filter(Boolean).every((word) => haystack.includes(word));
}

export default function Palette({ onClose }: { onClose: () => void }) {
  const { t } = useT();
  const scope = useScope();
  const { meta } = useConsole();
  const theme = useTheme();
  const go = useGo();
  const listId = useId();
  const [q, setQ] = useState('');
  const [asked, setAsked] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(q.trim()), 180);
    return () => clearTimeout(timer);
  }, [q]);
  const objects = useQuery({ queryKey: [scope.key, 'palette', asked], queryFn: () => findObjects(scope, asked), enabled: asked.length > 0, placeholderData: (old) => old });

  const entries = useMemo((): Entry[] => {
    const jump = (to: string, search?: Record<string, string>) => () => {
      const [path, query] = to.split('?');
      go(path ?? '/', search ?? Object.fromEntries(new URLSearchParams(query ?? '')));
    };
    const operator = meta.realm === 'operator';
    const nav = (operator ? operatorNav : tenantNav).flatMap((g) => g.items).filter((i) => !i.permission || scope.can(i.permission));
    const actions: [string, string, (() => void) | false][] = [
      ['tenant', t('tenants.create'), operator && scope.can('platform.tenant:write') && jump('/tenants', { new: '1' })],
      ['upload', t('plugins.upload'), operator && scope.can('platform.plugin:write') && jump('/plugins', { upload: '1' })],
      ['enable', t('plugins.enable'), !operator && scope.can('plugin:write') && jump('/plugins/enable')],
      ['order', t('orders.create'), !operator && scope.can('order:write') && jump('/orders', { new: '1' })],
      ['theme', t('palette.theme'), () => setThemeChoice(theme.name === 'dark' ? 'light' : 'dark')],
      ['language', t('palette.language'), () => setLocale(getLocale() === 'zh' ? 'en' : 'zh')],
    ];
    const local: Entry[] = [
      ...nav.map((i) => ({ id: `go${i.path}`, group: t('palette.go'), label: t(i.label as 'nav.overview'), run: jump(i.path) })),
      ...actions.flatMap(([id, label, run]) => (run ? [{ id: `do-${id}`, group: t('palette.actions'), label, run }] : [])),
    ].filter((e) => matchesQuery(`${e.label} ${e.group}`, q));
    // Answers to an earlier query stay until the new ones are there, as far as they still fit.
    const fitting = (objects.data ?? []).filter((o) => !objects.isPlaceholderData || matchesQuery(`${o.label} ${o.hint}`, q));
    const found = q.trim() ? fitting.map((o) => ({ id: o.id, group: t(o.group), label: o.label, hint: o.hint, run: jump(o.path) })) : [];
    // What is known at once comes first: answers that arrive later must not slip under the Enter key.
    return [...local, ...found];
  }, [q, objects.data, objects.isPlaceholderData, t, meta.realm, scope, go, theme.name]);

  const current = Math.min(at, Math.max(0, entries.length - 1));
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const onKey = (e: KeyboardEvent) => {
    const step = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      e.preventDefault();
      setAt((current + step + entries.length) % Math.max(1, entries.length));
    } else if (e.key === 'Enter') {
      e.preventDefault();
      choose(entries[current]);
    }
  };
  return (
    <Modal open title={null} footer={null} closable={false} onCancel={onClose} width={560} className="palette" style={{ top: 88 }} transitionName="" maskTransitionName="">
      <input
        className="palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={entries[current] ? `${listId}-${current}` : undefined}
        aria-label={t('palette.title')}
        placeholder={t('palette.placeholder')}
        value={q}
        autoFocus
        spellCheck={false}
        onChange={(e) => {
          setQ(e.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
        data-testid="palette-input"
      />
      <div className="palette-list" role="listbox" id={listId} ref={list} aria-label={t('palette.title')}>
        {entries.map((e, i) => (
          <div key={e.id}>
            {entries[i - 1]?.group !== e.group && <div className="palette-group">{e.group}</div>}
            <div id={`${listId}-${i}`} role="option" aria-selected={i === current} className={i === current ? 'palette-item current' : 'palette-item'} onMouseMove={() => setAt(i)} onClick={() => choose(e)}>
              <span>{e.label}</span>
              {e.hint && <span className="muted small">{e.hint}</span>}
            </div>
          </div>
        ))}
        {entries.length === 0 && !objects.isFetching && <p className="muted palette-none">{t('palette.none', { q })}</p>}
      </div>
      <p className="palette-foot muted small">{t('palette.hint')}</p>
    </Modal>
  );
}
