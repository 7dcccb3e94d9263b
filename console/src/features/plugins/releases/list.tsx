/** A release on trial with its figures, and the list of those that have ended. */
import { Button, Tag } from 'antd';
import type { Release, ReleaseTally } from '@/api/models';
import { useT } from '@/i18n';
import { formatNumber } from '@/shared/format';
import { Id } from '@/shared/ui/copyable';
import { Section } from '@/shared/ui/page';
import { Status } from '@/shared/ui/status';
import { RelativeTime } from '@/shared/ui/time';
import type { Verb } from './api';
import { failureRate, formatShare } from './figures';

interface Acts {
  onAsk: (release: Release, verb: Verb) => void;
  onDiffs: (release: Release) => void;
}

function Way({ release }: { release: Release }) {
  return (
    <span className="nowrap">
      <code>{release.from}</code> → <code className="strong">{release.to}</code>
    </span>
  );
}

/** What it does, in a few words: `Canary, 5% of the tenants`. */
function useKind(): (release: Release) => string {
  const { t, tv } = useT();
  return (r) => (r.mode === 'canary' ? t(r.by === 'calls' ? 'releases.canary_calls' : 'releases.canary_tenants', { share: formatShare(r.share) }) : tv('release_mode', r.mode));
}

export function RunningRelease({ release: r, verbs, onAsk, onDiffs }: { release: Release; verbs: Verb[] } & Acts) {
  const { t } = useT();
  const kind = useKind();
  return (
    <Section
      title={
        <span className="row">
          <Status value={r.state} prefix="release" /> <Way release={r} />
        </span>
      }
      extra={
        <>
          {verbs.map((verb) => (
            <Button key={verb} size="small" type={verb === 'promote' ? 'primary' : verb === 'cancel' ? 'text' : 'default'} danger={verb === 'rollback'} onClick={() => onAsk(r, verb)} data-testid={`release-${verb}`}>
              {t(`releases.${verb}`)}
            </Button>
          ))}
        </>
      }
    >
      <div data-testid="release-running" data-release={r.id}>
        <p>
          {kind(r)} · <RelativeTime value={r.started_at} /> <Id value={r.id} short />
        </p>
        <table className="plain figures">
          <thead>
            <tr>
              <th>{t('field.version')}</th>
              <th className="right">{t('releases.calls')}</th>
              <th className="right">{t('releases.failed')}</th>
              <th className="right">{t('releases.rate')}</th>
            </tr>
          </thead>
          <tbody>
            <Side label={t('releases.in_use')} version={r.from} tally={r.before} />
            <Side label={t('releases.candidate')} version={r.to} tally={r.candidate} worse={(failureRate(r.candidate) ?? 0) > (failureRate(r.before) ?? 0) + r.max_error_rate} />
          </tbody>
        </table>
        <p className="muted small">{r.mode === 'shadow' ? t('releases.shadow_rule') : t('releases.rule', { rate: formatShare(r.max_error_rate), n: r.min_calls })}</p>
        {r.mode === 'shadow' && (
          <Button size="small" onClick={() => onDiffs(r)} data-testid="release-diffs">
            {t('releases.diffs', { n: r.diffs })}
          </Button>
        )}
      </div>
    </Section>
  );
}

function Side({ label, version, tally, worse = false }: { label: string; version: string; tally: ReleaseTally | null | undefined; worse?: boolean }) {
  const rate = failureRate(tally);
  return (
    <tr>
      <th scope="row">
        <code>{version}</code> <span className="muted">{label}</span>
      </th>
      <td className="right num">{tally ? formatNumber(tally.calls) : '–'}</td>
      <td className="right num">{tally ? formatNumber(tally.failed) : '–'}</td>
      <td className={worse ? 'right num bad' : 'right num'}>{rate === null ? '–' : formatShare(rate)}</td>
    </tr>
  );
}

export function PastReleases({ releases, verbs, onAsk, onDiffs }: { releases: Release[]; verbs: (release: Release) => Verb[] } & Acts) {
  const { t } = useT();
  const kind = useKind();
  if (releases.length === 0) return null;
  return (
    <Section title={t('releases.past')}>
      <div className="wide-table">
        <table className="plain" data-testid="releases-past">
          <thead>
            <tr>
              <th>{t('releases.way')}</th>
              <th>{t('field.kind')}</th>
              <th>{t('field.status')}</th>
              <th>{t('releases.reason')}</th>
              <th>{t('releases.ended')}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {releases.map((r) => (
              <tr key={r.id} data-row={r.id}>
                <td>
                  <Way release={r} />
                </td>
                <td>{kind(r)}</td>
                <td>
                  <Status value={r.state} prefix="release" />
                </td>
                <td>{r.reason}</td>
                <td>{r.ended_at ? <RelativeTime value={r.ended_at} /> : <Tag>{t('word.never')}</Tag>}</td>
                <td className="right">
                  {r.diffs > 0 && (
                    <Button size="small" type="text" onClick={() => onDiffs(r)}>
                      {t('releases.diffs', { n: r.diffs })}
                    </Button>
                  )}
                  {verbs(r).map((verb) => (
                    <Button key={verb} size="small" onClick={() => onAsk(r, verb)} data-testid={`release-${verb}`}>
                      {t(`releases.${verb}`)}
                    </Button>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
