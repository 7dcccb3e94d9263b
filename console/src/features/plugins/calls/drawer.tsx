/** One call in full: why it ended as it did, what it used of its limits, and what the plugin said meanwhile. */
import { useQuery } from '@tanstack/react-query';
import { Drawer } from 'antd';
import { take } from '@/api/client';
import type { CallDetail } from '@/api/models';
import { useScope } from '@/api/scope';
import { localized, useT } from '@/i18n';
import { formatAbsolute } from '@/shared/format';
import { shellQuote } from '@/shared/ui/act/copy-as';
import { CopyButton, Id } from '@/shared/ui/copyable';
import { Link } from '@/shared/ui/link';
import { Facts } from '@/shared/ui/page';
import { ErrorState, PageSkeleton } from '@/shared/ui/states';
import { Status } from '@/shared/ui/status';
import { figuresOf, whyCommand, type Figure } from './figures';
import { readFrames, readLines } from './lines';
import { LogLines } from './log-lines';

export function CallDrawer({ installation, call, onClose }: { installation: string; call: string | undefined; onClose: () => void }) {
  const { t } = useT();
  const scope = useScope();
  const query = useQuery({
    queryKey: [scope.key, 'calls', installation, call],
    queryFn: () => take(scope.api.GET('/api/v1/installations/{installation}/calls/{call}', { params: { path: { installation, call: call ?? '' } } })),
    enabled: call !== undefined,
  });
  return (
    <Drawer open={call !== undefined} size={620} onClose={onClose} title={t('calls.title')} data-testid="call-drawer">
      {query.isError ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : query.data ? <Detail call={query.data} /> : <PageSkeleton />}
    </Drawer>
  );
}

function Detail({ call }: { call: CallDetail }) {
  const { t, tv, locale } = useT();
  const scope = useScope();
  const lines = readLines(call.log);
  const frames = readFrames(call.frames);
  const command = ['aistack', ...whyCommand(call, scope.session.realm === 'operator')].map(shellQuote).join(' ');
  return (
    <div className="stack loose">
      <section className={call.outcome === 'ok' ? 'why' : 'why why-bad'} data-testid="call-why" data-cause={call.why.cause}>
        <div className="row">
          <Status value={call.outcome} />
          {call.outcome !== 'ok' && <code className="bad">{call.why.cause}</code>}
          {call.outcome !== 'ok' && <span className="muted small">{t('calls.where', { where: tv('where', call.why.where) })}</span>}
        </div>
        <p className="why-summary">{localized(call.why.summary, locale)}</p>
        {call.outcome !== 'ok' && (
          <p className="hint">
            <b>{t('word.hint')}</b> {localized(call.why.hint, locale)}
          </p>
        )}
        {call.breakers.length > 0 && <p className="bad small">{t('calls.breakers', { operations: call.breakers.join(', ') })}</p>}
      </section>
      <div>
        <h3>{t('calls.command')}</h3>
        <pre className="command">
          <code data-testid="why-command">{command}</code>
          <CopyButton text={command} />
        </pre>
      </div>
      <section>
        <h3>{t('calls.figures')}</h3>
        <Figures figures={figuresOf(call)} />
        {!call.limits && <p className="muted small">{t('calls.no_limits')}</p>}
      </section>
      {frames.length > 0 && (
        <section>
          <h3>{t('calls.frames')}</h3>
          <ol className="log" data-testid="call-frames">
            {frames.map((frame, place) => (
              <li key={place}>
                <code>{frame}</code>
              </li>
            ))}
          </ol>
        </section>
      )}
      <section>
        <h3>{t('calls.log')}</h3>
        {lines.length > 0 ? <LogLines lines={lines} /> : <p className="muted">{t('calls.no_log')}</p>}
      </section>
      <section>
        <h3>{t('audit.details')}</h3>
        <Facts
          items={[
            [t('plugins.operation'), <code key="o">{call.operation}</code>],
            [t('audit.at'), formatAbsolute(new Date(call.started_at))],
            [t('calls.plugin'), <code key="p">{call.plugin}</code>],
            [t('plugins.digest'), <Id key="d" value={call.digest} short />],
            [t('calls.lane'), tv('lane', call.lane)],
            [
              t('word.request_id'),
              <span key="r" className="stack tight">
                <Id value={call.request_id} />
                {call.request_id && scope.can('audit:read') && (
                  <Link to={scope.to('/audit')} search={{ request_id: call.request_id }} className="small">
                    {t('audit.same_request')}
                  </Link>
                )}
              </span>,
            ],
            [t('field.id'), <Id key="i" value={call.id} />],
          ]}
        />
      </section>
    </div>
  );
}

function Figures({ figures }: { figures: Figure[] }) {
  const { t } = useT();
  return (
    <table className="plain figures" data-testid="call-figures">
      <thead>
        <tr>
          <th>{t('calls.figure')}</th>
          <th className="right">{t('calls.used')}</th>
          <th className="right">{t('calls.limit')}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {figures.map((f) => (
          <tr key={f.key}>
            <th scope="row">{f.label}</th>
            <td className="right num">{f.used}</td>
            <td className="right num">{f.limit ?? '–'}</td>
            <td className="figure-bar">
              {f.share !== null && (
                <div className={`bar${f.share >= 1 ? ' bar-bad' : f.share >= 0.8 ? ' bar-warn' : ''}`} aria-hidden>
                  <i style={{ width: `${Math.round(f.share * 100)}%` }} />
                </div>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
