/** One term as it reads. */
import type { PluginTerms } from '@/api/models';
import { useT } from '@/i18n';
import { formatList } from '@/shared/format';
import { FIGURES, formatFigure, type Figure, type Term } from './terms';

const isFigure = (name: Term): name is Figure => (FIGURES as readonly string[]).includes(name);

export function TermValue({ name, terms }: { name: Term; terms: PluginTerms }) {
  const { t, tv } = useT();
  if (isFigure(name)) {
    const value = terms[name];
    return value === null ? <span className="muted">{t('bound.none')}</span> : <span className="num">{formatFigure(name, value)}</span>;
  }
  const list = terms[name];
  if (list === null) return <span className="muted">{t('word.all')}</span>;
  if (list.length === 0) return <span className="bad">{t('bound.nothing_short')}</span>;
  return <>{name === 'kinds' ? formatList(list.map((kind) => tv('kind', kind))) : <span className="codes">{list.map((i) => <code key={i} title={tv('interface', i)}>{i}</code>)}</span>}</>;
}
