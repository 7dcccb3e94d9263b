/** Who uses most, with every figure and a bar for the one they are ordered by. */
import type { Consumer } from '@/api/models';
import { useT } from '@/i18n';
import { Link } from '@/shared/ui/link';
import { BY, figureOf, formatFigure, type By } from './figures';

export function Consumers({ items, by, most }: { items: Consumer[]; by: By; most: number }) {
  const { t } = useT();
  return (
    <div className="wide-table">
      <table className="plain consumers" data-testid="health-top">
        <thead>
          <tr>
            <th>{t('routes.tenant')}</th>
            <th>{t('calls.plugin')}</th>
            {BY.map((b) => (
              <th key={b} className="right" aria-sort={b === by ? 'descending' : undefined}>
                {t(`health.by_${b}`)}
              </th>
            ))}
            <td />
          </tr>
        </thead>
        <tbody>
          {items.map((c) => (
            <tr key={`${c.tenant} ${c.plugin}`} data-row={`${c.tenant}/${c.plugin}`}>
              <td>
                <Link to={`/tenants/${c.tenant}/plugins`}>{c.tenant}</Link>
              </td>
              <td>
                <code>{c.plugin}</code>
              </td>
              {BY.map((b) => (
                <td key={b} className={`right num${b === by ? ' strong' : ''}${b === 'errors' && c.errors > 0 ? ' bad' : ''}`}>
                  {formatFigure(c, b)}
                </td>
              ))}
              <td className="figure-bar">
                <div className="bar" aria-hidden>
                  <i style={{ width: `${most > 0 ? Math.round((figureOf(c, by) / most) * 100) : 0}%` }} />
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
