/** Log lines as the plugin wrote them: text only, whatever it holds. */
import { useT } from '@/i18n';
import type { LogLine } from './lines';

export function LogLines({ lines }: { lines: LogLine[] }) {
  return (
    <ol className="log" data-testid="log-lines">
      {lines.map((line, i) => (
        <li key={i} data-level={line.level}>
          <LineText line={line} />
        </li>
      ))}
    </ol>
  );
}

export function LineText({ line }: { line: LogLine }) {
  const { tv } = useT();
  return (
    <>
      <span className={`log-level log-${line.level}`}>{tv('level', line.level)}</span>
      <span className="log-message">
        {line.message}
        {line.fields.map(([name, value]) => (
          <span key={name} className="muted">
            {' '}
            {name}={value}
          </span>
        ))}
      </span>
    </>
  );
}
