/** What a tenant's plugins may use together, and what they have used. */
import { useQuery } from '@tanstack/react-query';
import { take } from '@/api/client';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { Meter } from '@/shared/ui/meter';
import { Facts, Section } from '@/shared/ui/page';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { formatFigure, type Figure, type Term } from './terms/terms';
import { TermValue } from './terms/value';

const EVERY = 5000;

/** Of these the server says what was used. */
const METERED = ['cpu_ms_per_minute', 'egress_bytes_per_day'] as const;
const OTHER: readonly Term[] = ['calls_per_second', 'kv_bytes', 'installations', 'kinds', 'interfaces', 'memory_bytes', 'call_ms', 'concurrency'];

/** `plain` leaves the bounds out that stand on the same page already. */
export function PluginBudgetSection({ plain = false }: { plain?: boolean }) {
  const { t } = useT();
  const scope = useScope();
  const readable = scope.can('plugin:read');
  const query = useQuery({ queryKey: [scope.key, 'plugin-budget'], queryFn: () => take(scope.api.GET('/api/v1/plugins/budget')), refetchInterval: EVERY, enabled: readable });
  if (!readable) return null;
  const used = (figure: (typeof METERED)[number]) => (figure === 'cpu_ms_per_minute' ? query.data?.cpu_ms : query.data?.egress_bytes) ?? 0;
  const terms = query.data?.terms;
  const bounds = plain || !terms ? [] : OTHER.filter((name) => terms[name] !== null);
  return (
    <Section title={t('budget.title')}>
      {query.isError ? (
        <ErrorState compact error={query.error} retry={() => void query.refetch()} />
      ) : !terms ? (
        <PageSkeleton />
      ) : (
        <div className="stack loose" data-testid="plugin-budget">
          {METERED.map((figure: Figure & (typeof METERED)[number]) => (
            <Meter
              key={figure}
              label={t(`terms.${figure}`)}
              used={used(figure)}
              limit={terms[figure]}
              format={(n) => formatFigure(figure, n)}
              hint={used(figure) >= (terms[figure] ?? Infinity) ? <span className="bad">{t(`budget.used_up_${figure}`)}</span> : t(`budget.hint_${figure}`)}
              testId={`budget-${figure}`}
            />
          ))}
          {bounds.length > 0 && <Facts items={bounds.map((name) => [t(`terms.${name}`), <span key={name} data-testid={`budget-${name}`}><TermValue name={name} terms={terms} /></span>])} />}
          <p className="muted small">{t('budget.node_only')}</p>
        </div>
      )}
    </Section>
  );
}
