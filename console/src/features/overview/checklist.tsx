/** First steps that tick themselves off; gone when all are done. */
import { CheckCircleFilled } from '@ant-design/icons';
import { Link } from '@/shared/ui/link';

export interface Step {
  done: boolean;
  label: string;
  to: string;
  search?: Record<string, string>;
}

export function Checklist({ title, steps }: { title: string; steps: Step[] }) {
  const done = steps.filter((s) => s.done).length;
  if (done === steps.length) return null;
  return (
    <section className="checklist" aria-label={title} data-testid="checklist">
      <b>{title}</b>
      <span className="muted small">
        {done} / {steps.length}
      </span>
      <ol>
        {steps.map((s) => (
          <li key={s.label} className={s.done ? 'done' : ''}>
            {s.done ? <CheckCircleFilled /> : <i aria-hidden />}
            {s.done ? <span>{s.label}</span> : <Link to={s.to} search={s.search}>{s.label}</Link>}
          </li>
        ))}
      </ol>
    </section>
  );
}
