/** A box above a page's content for what needs a decision or explains why something does not work. */
import type { ReactNode } from 'react';

export interface NoticeProps {
  tone: 'info' | 'warn' | 'bad';
  title: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
  testId?: string;
}

export function Notice({ tone, title, children, actions, testId }: NoticeProps) {
  return (
    <section className={`notice-box notice-${tone}`} role={tone === 'bad' ? 'alert' : 'status'} data-testid={testId}>
      <div className="grow">
        <strong>{title}</strong>
        {children}
      </div>
      {actions && <div className="row">{actions}</div>}
    </section>
  );
}
