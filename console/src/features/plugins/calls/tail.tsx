/** The log of an installation as it is written: newest at the end, by level and words, held still while one reads. */
import { CaretRightOutlined, DeleteOutlined, PauseOutlined } from '@ant-design/icons';
import { Button, Input, Select } from 'antd';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { openStream, type StreamState } from '@/shared/live/sse';
import { useSearch } from '@/shared/table/state';
import { shorten } from '@/shared/ui/copyable';
import { Section } from '@/shared/ui/page';
import { EmptyState } from '@/shared/ui/states';
import { filterTail, keepNewest, LEVELS, readEvent, type Level, type TailEntry } from './lines';
import { LineText } from './log-lines';

const MOST = 2000;

export function LogTail({ installation }: { installation: string }) {
  const { t, tv, locale } = useT();
  const scope = useScope();
  const [search, setSearch] = useSearch();
  const [entries, setEntries] = useState<TailEntry[]>([]);
  const [held, setHeld] = useState<TailEntry[]>([]);
  const [paused, setPaused] = useState(false);
  const [state, setState] = useState<StreamState>('connecting');
  const [least, setLeast] = useState<Level>('trace');
  const [q, setQ] = useState('');
  const box = useRef<HTMLOListElement>(null);
  const stick = useRef(true);
  const pausing = useRef(paused);
  pausing.current = paused;

  // All levels are read and filtered here: choosing another level shows at once what has been said before.
  const url = `${scope.apiBase}/api/v1/installations/${encodeURIComponent(installation)}/logs`;
  useEffect(() => {
    let n = 0;
    setEntries([]);
    setHeld([]);
    return openStream(url, {
      onEvent: (event) => {
        n += 1;
        const entry = readEvent(event.event, event.data, n, Date.now());
        if (!entry) return;
        (pausing.current ? setHeld : setEntries)((all) => keepNewest(all, [entry], MOST));
      },
      onState: setState,
    });
  }, [url]);

  const shown = useMemo(() => filterTail(entries, least, q), [entries, least, q]);
  useLayoutEffect(() => {
    if (stick.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown]);
  const toggle = () => {
    if (paused) {
      setEntries((all) => keepNewest(all, held, MOST));
      setHeld([]);
    }
    setPaused(!paused);
  };
  const time = useMemo(() => new Intl.DateTimeFormat(locale === 'zh' ? 'zh-CN' : 'en-GB', { timeStyle: 'medium' }), [locale]);
  return (
    <Section
      title={
        <span className={`live live-${state}`}>
          <i aria-hidden />
          {tv('live', paused ? 'paused' : state)}
        </span>
      }
      extra={
        <>
          <Input aria-label={t('logs.search')} placeholder={t('logs.search')} size="small" allowClear value={q} onChange={(e) => setQ(e.target.value)} style={{ width: 180 }} data-testid="log-search" />
          <Select
            aria-label={t('logs.level')}
            size="small"
            value={least}
            onChange={setLeast}
            options={LEVELS.map((level) => ({ value: level, label: t('logs.at_least', { level: tv('level', level) }) }))}
            popupMatchSelectWidth={false}
            style={{ minWidth: 132 }}
            data-testid="log-level"
          />
          <Button size="small" icon={paused ? <CaretRightOutlined /> : <PauseOutlined />} onClick={toggle} aria-pressed={paused} data-testid="log-pause">
            {paused ? (held.length > 0 ? t('logs.resume_with', { n: held.length }) : t('logs.resume')) : t('logs.pause')}
          </Button>
          <Button size="small" type="text" icon={<DeleteOutlined />} aria-label={t('logs.clear')} title={t('logs.clear')} disabled={entries.length === 0} onClick={() => setEntries([])} />
        </>
      }
    >
      {shown.length === 0 ? (
        <EmptyState text={entries.length > 0 ? t('table.no_match') : t('logs.empty')} />
      ) : (
        <ol
          className="log tail"
          ref={box}
          tabIndex={0}
          aria-label={t('logs.title')}
          role="log"
          aria-live={paused ? 'off' : 'polite'}
          data-testid="log-tail"
          onScroll={(e) => {
            const el = e.currentTarget;
            stick.current = el.scrollHeight - el.scrollTop - el.clientHeight < 24;
          }}
        >
          {shown.map((e) =>
            'dropped' in e ? (
              <li key={e.n} className="muted">
                {t('logs.dropped', { n: e.dropped })}
              </li>
            ) : (
              <li key={e.n} data-level={e.level}>
                <time className="muted">{time.format(e.at)}</time>
                <LineText line={e} />
                {e.call && (
                  <button type="button" className="link-button" title={e.call} onClick={() => setSearch({ ...search, tab: 'calls', call: e.call })}>
                    {shorten(e.call)}
                  </button>
                )}
              </li>
            ),
          )}
        </ol>
      )}
    </Section>
  );
}
