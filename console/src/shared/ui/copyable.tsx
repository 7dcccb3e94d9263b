/** Ids and other things people paste elsewhere: monospace, one click, and it says so. */
import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { useEffect, useState } from 'react';
import { useT } from '@/i18n';

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { t } = useT();
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button
      type="button"
      className="copy-button"
      aria-label={label ?? t('action.copy_value', { value: text })}
      title={done ? t('word.copied') : t('action.copy')}
      onClick={(e) => {
        e.stopPropagation();
        e.preventDefault();
        void navigator.clipboard.writeText(text).then(() => setDone(true));
      }}
    >
      {done ? <CheckOutlined /> : <CopyOutlined />}
      <span className="visually-hidden" role="status">
        {done ? t('word.copied') : ''}
      </span>
    </button>
  );
}

/** An id; `short` keeps the prefix and the last six characters, the whole is copied. */
export function Id({ value, short = false }: { value: string | null | undefined; short?: boolean }) {
  if (!value) return <span className="muted">–</span>;
  return (
    <span className="id" title={value}>
      <code>{short ? shorten(value) : value}</code>
      <CopyButton text={value} />
    </span>
  );
}

export function shorten(id: string): string {
  const cut = id.indexOf('_');
  if (id.length <= 18) return id;
  return cut > 0 && cut < 8 ? `${id.slice(0, cut + 1)}…${id.slice(-6)}` : `${id.slice(0, 8)}…${id.slice(-6)}`;
}
