/** The frame of every page: one heading, one line of meaning, the actions at the right. */
import type { ReactNode } from 'react';
import { useEffect } from 'react';

export function Page({ title, description, actions, children }: { title: ReactNode; description?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    if (typeof title === 'string') document.title = `${title} · aistack`;
  }, [title]);
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          {description && <p>{description}</p>}
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Section({ title, extra, children, flush = false, id }: { title?: ReactNode; extra?: ReactNode; children: ReactNode; flush?: boolean; id?: string }) {
  return (
    <section className={flush ? 'section flush' : 'section'} id={id}>
      {(title || extra) && (
        <header className="section-head">
          {title && <h2>{title}</h2>}
          {extra && <div className="row">{extra}</div>}
        </header>
      )}
      <div className="section-body">{children}</div>
    </section>
  );
}

export interface Stat {
  label: string;
  value: ReactNode;
  hint?: ReactNode;
  testId?: string;
}

/** A strip of figures divided by hairlines. */
export function Stats({ items }: { items: Stat[] }) {
  return (
    <dl className="stats">
      {items.map((s) => (
        <div key={s.label} data-testid={s.testId}>
          <dt>{s.label}</dt>
          <dd>{s.value}</dd>
          {s.hint && <dd className="stat-hint">{s.hint}</dd>}
        </div>
      ))}
    </dl>
  );
}

/** Names and values in aligned columns. */
export function Facts({ items }: { items: [label: string, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {items.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
