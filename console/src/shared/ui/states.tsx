/** What a page shows when it has nothing, when it waits, and when something went wrong. */
import { Button, Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { asProblem, explain, type FieldProblem } from '@/api/problem';
import { useT } from '@/i18n';
import { CopyButton } from './copyable';

export const DOCS = '/console/docs/';

export interface EmptyProps {
  /** One sentence. */
  text: string;
  /** One button. */
  action?: ReactNode;
  /** One link to the documentation. */
  docs?: { href: string; label: string };
}

export function EmptyState({ text, action, docs }: EmptyProps) {
  return (
    <div className="empty" data-testid="empty-state">
      <svg width="44" height="36" viewBox="0 0 44 36" aria-hidden fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinejoin="round">
        <path d="m22 3 17 8-17 8L5 11z" />
        <path d="m5 18 17 8 17-8M5 25l17 8 17-8" opacity=".45" />
      </svg>
      <p>{text}</p>
      {action}
      {docs && (
        <a href={docs.href} target="_blank" rel="noreferrer">
          {docs.label}
        </a>
      )}
    </div>
  );
}

export interface ErrorProps {
  error: unknown;
  retry?: () => void;
  compact?: boolean;
  /** Values that were not accepted and that no field of a form shows. */
  fields?: FieldProblem[];
}

export function ErrorState({ error, retry, compact = false, fields = [] }: ErrorProps) {
  const { t } = useT();
  const e = explain(error);
  const { code, body } = asProblem(error);
  return (
    <div className={compact ? 'error-box compact' : 'error-box'} role="alert" data-testid="error-state">
      <strong>{e.title}</strong>
      {e.detail && e.detail !== e.title && <p>{e.detail}</p>}
      {fields.length > 0 && <FieldProblems fields={fields} />}
      {e.hint && <Hint text={e.hint} />}
      {e.next && <p className="muted">{e.next}</p>}
      <div className="row">
        {retry && (
          <Button size="small" onClick={retry}>
            {t('action.retry')}
          </Button>
        )}
        {typeof body.reason === 'string' && (
          <code className="muted small" data-testid="problem-code">
            {code} · {body.reason}
          </code>
        )}
        {e.requestId && (
          <span className="muted small">
            {t('word.request_id')} <code>{e.requestId}</code> <CopyButton text={e.requestId} />
          </span>
        )}
      </div>
    </div>
  );
}

/** What to do about a refusal. */
export function Hint({ text }: { text: string }) {
  const { t } = useT();
  return (
    <p className="hint" data-testid="hint">
      <b>{t('word.hint')}</b> {text}
    </p>
  );
}

/** Refused values one by one: where, what, and what to write instead. */
function FieldProblems({ fields }: { fields: FieldProblem[] }) {
  const { t } = useT();
  return (
    <ul className="field-problems" data-testid="field-problems">
      {fields.map((f, i) => (
        <li key={`${i} ${f.pointer}`} data-code={f.code}>
          <span>
            {f.pointer && <code className="strong">{f.pointer}</code>} {typeof f.line === 'number' && <span className="muted">{t('word.line', { n: f.line })}</span>} {f.message} <code className="muted">{f.code}</code>
          </span>
          {f.hint && <span className="muted">→ {f.hint}</span>}
        </li>
      ))}
    </ul>
  );
}

export function PageSkeleton() {
  const { t } = useT();
  return (
    <div className="page-skeleton" role="status" aria-label={t('word.loading')}>
      <Skeleton active title={{ width: 180 }} paragraph={{ rows: 1, width: [320] }} />
      <Skeleton active title={false} paragraph={{ rows: 6, width: '100%' }} />
    </div>
  );
}
