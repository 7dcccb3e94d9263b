/** The version of an installation: change it, keep it, go back. */
import { Button, Switch, Tag } from 'antd';
import { useId, useState } from 'react';
import { take } from '@/api/client';
import type { Installation, Plugin } from '@/api/models';
import type { ApiProblem } from '@/api/problem';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction, useShowProblem } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { Id } from '@/shared/ui/copyable';
import { Facts, Section } from '@/shared/ui/page';
import { EmptyState } from '@/shared/ui/states';
import { RelativeTime } from '@/shared/ui/time';
import { useChange } from './change';
import { ConsentDialog } from './consent';
import { NewSettings } from './new-settings';
import { compareVersions } from './versions';

export function VersionTab({ installation: i, versions }: { installation: Installation; versions: Plugin[] }) {
  const { t, tv } = useT();
  const scope = useScope();
  const show = useShowProblem();
  const pinId = useId();
  const [filling, setFilling] = useState<{ plugin: Plugin; problem: ApiProblem } | null>(null);
  // The versions are those of the question: the page behind it changes as soon as the answer is there.
  const [leaving, setLeaving] = useState({ open: false, from: '', to: '' });
  const stay = () => setLeaving((l) => ({ ...l, open: false }));
  const writable = scope.can('plugin:write');
  const change = useChange(i.id, {
    done: (c) => (c.when_consented ? t('pending.kept') : c.version ? t('version.changed', { version: c.version }) : c.pinned === undefined ? undefined : c.pinned ? t('version.pinned') : t('version.unpinned')),
    after: () => setFilling(null),
    problem: (problem, c) => {
      // The new version has settings that nobody could translate or guess: somebody fills them in.
      const target = versions.find((p) => p.version === c.version);
      if (!target || problem.code !== 'plugin_config_invalid') return false;
      setFilling({ plugin: target, problem });
      return true;
    },
  });
  const back = useAction({
    run: () => take(scope.api.POST('/api/v1/installations/{installation}/rollback', { params: { path: { installation: i.id } } })),
    invalidate: [[scope.key, 'installations'], [scope.key, 'reports']],
    done: (made) => t('version.changed', { version: made.version }),
    problem: (p) => {
      stay();
      show(p);
      return true;
    },
    after: stay,
  });
  const previous = versions.find((p) => p.version === i.previous_version);
  return (
    <div className="split">
      <Section title={t('version.on_host')}>
        {versions.length === 0 ? (
          <EmptyState text={t('version.none')} />
        ) : (
          <ul className="versions" data-testid="versions">
            {versions.map((p) => {
              const current = p.digest === i.digest;
              return (
                <li key={p.id} data-version={p.version}>
                  <div>
                    <b>
                      <code>{p.version}</code>
                    </b>{' '}
                    {current && <Tag>{t('version.current')}</Tag>}
                    <Tag>{tv('tier', p.tier)}</Tag>
                    {p.quarantined && <Tag color="error">{t('held.short')}</Tag>}
                    <p className="muted small">
                      {p.quarantined ? p.quarantined : <>{t('version.installed')} <RelativeTime value={p.installed_at} /></>}
                    </p>
                  </div>
                  {!current && writable && (
                    <Button
                      size="small"
                      disabled={!!p.quarantined}
                      loading={change.running?.version === p.version && !filling}
                      onClick={() => change.run({ version: p.version })}
                      data-testid={`version-to-${p.version}`}
                      aria-label={t('version.change_to', { version: p.version })}
                    >
                      {compareVersions(p.version, i.version) > 0 ? t('version.upgrade') : t('version.change')}
                    </Button>
                  )}
                </li>
              );
            })}
          </ul>
        )}
      </Section>
      <Section title={t('version.here')}>
        <Facts
          items={[
            [t('field.version'), <code key="v">{i.version}</code>],
            [t('plugins.digest'), <Id key="d" value={i.digest} short />],
            [t('version.generation'), i.generation],
          ]}
        />
        <div className="version-pin">
          <Switch id={pinId} checked={i.pinned} disabled={!writable || change.busy} onChange={(pinned) => change.run({ pinned })} data-testid="version-pin" />
          <label htmlFor={pinId}>
            {t('version.pin')}
            <span className="muted small">{t('version.pin_help')}</span>
          </label>
        </div>
        {i.previous_version ? (
          <div className="stack tight">
            <p className="muted">{previous ? t('version.previous', { version: i.previous_version }) : t('version.previous_gone', { version: i.previous_version })}</p>
            {writable && previous && (
              <Button className="fit" onClick={() => setLeaving({ open: true, from: i.version, to: previous.version })} disabled={!!previous.quarantined} data-testid="version-back">
                {t('version.back_to', { version: i.previous_version })}
              </Button>
            )}
          </div>
        ) : (
          <p className="muted">{t('version.no_previous')}</p>
        )}
      </Section>
      <ConsentDialog
        open={change.asked !== null}
        title={t('consent.title', { version: change.asked?.change.version ?? i.version })}
        meanwhile={t('consent.meanwhile', { version: i.version })}
        added={change.asked?.added ?? {}}
        busy={change.busy}
        onAgree={change.agree}
        onWait={change.wait}
        onDismiss={change.dismiss}
      />
      {filling && <NewSettings key={filling.plugin.id} installation={i} plugin={filling.plugin} problem={filling.problem} busy={change.busy} onSave={change.run} onClose={() => setFilling(null)} />}
      <Confirm
        open={leaving.open}
        title={t('version.back_title', { version: leaving.to })}
        consequences={t('version.back_text', { from: leaving.from, to: leaving.to })}
        confirmLabel={t('version.back_to', { version: leaving.to })}
        danger={false}
        busy={back.isPending}
        onConfirm={() => back.mutate()}
        onCancel={stay}
      />
    </div>
  );
}
