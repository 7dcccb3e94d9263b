/** What needs a decision about an installation: a version out of service, a change that waits for consent. */
import { Button } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Installation, Plugin } from '@/api/models';
import type { ApiProblem } from '@/api/problem';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { Notice } from '@/shared/ui/notice';
import { ErrorState } from '@/shared/ui/states';
import { RelativeTime } from '@/shared/ui/time';
import { readAdded } from './added';
import { ConsentDialog } from './consent';
import { wayOut } from './versions';

export interface NoticesProps {
  installation: Installation;
  versions: Plugin[];
  /** Leads to the tab with the versions. */
  onVersions: () => void;
}

export function Notices({ installation, versions, onVersions }: NoticesProps) {
  return (
    <>
      <Quarantined installation={installation} versions={versions} onVersions={onVersions} />
      {installation.pending && <Waiting key={installation.pending.added_digest} installation={installation} pending={installation.pending} />}
    </>
  );
}

function Quarantined({ installation, versions, onVersions }: NoticesProps) {
  const { t } = useT();
  const scope = useScope();
  const reason = versions.find((p) => p.digest === installation.digest)?.quarantined;
  if (!reason) return null;
  const out = wayOut(installation, versions);
  const text = out.kind === 'back' ? t('held.back', { version: out.version }) : out.kind === 'change' ? t('held.change', { version: out.version }) : t('held.none');
  return (
    <Notice
      tone="bad"
      testId="installation-held"
      title={t('held.title', { version: installation.version })}
      actions={
        out.kind !== 'none' &&
        scope.can('plugin:write') && (
          <Button onClick={onVersions} data-testid="held-way-out">
            {t('held.choose')}
          </Button>
        )
      }
    >
      <p>{t('held.reason', { reason })}</p>
      <p className="muted">{text}</p>
    </Notice>
  );
}

function Waiting({ installation, pending }: { installation: Installation; pending: NonNullable<Installation['pending']> }) {
  const { t } = useT();
  const scope = useScope();
  const [open, setOpen] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const agree = useAction({
    run: () => take(scope.api.POST('/api/v1/installations/{installation}/consent', { params: { path: { installation: installation.id } }, body: { added_digest: pending.added_digest } })),
    invalidate: [[scope.key, 'installations'], [scope.key, 'reports']],
    done: (made) => (made.version === installation.version ? t('word.saved') : t('version.changed', { version: made.version })),
    problem: (p) => {
      setProblem(p);
      return true;
    },
    after: () => setOpen(false),
  });
  const [declining, setDeclining] = useState(false);
  const decline = useAction({
    run: () => take(scope.api.DELETE('/api/v1/installations/{installation}/pending', { params: { path: { installation: installation.id } } })),
    invalidate: [[scope.key, 'installations']],
    done: () => t('pending.declined'),
    after: () => setDeclining(false),
  });
  const upgrade = pending.version !== installation.version;
  const title = upgrade ? t('pending.version', { version: pending.version }) : t('pending.settings');
  return (
    <Notice
      tone="warn"
      testId="installation-pending"
      title={title}
      actions={
        scope.can('plugin:write') && (
          <>
            <Button type="primary" onClick={() => setOpen(true)} data-testid="pending-review">
              {t('pending.review')}
            </Button>
            <Button onClick={() => setDeclining(true)} data-testid="pending-decline">
              {t('pending.decline')}
            </Button>
          </>
        )
      }
    >
      <p className="muted">
        {t('pending.text', { version: installation.version })} <RelativeTime value={pending.since} />
      </p>
      <ConsentDialog
        open={open}
        title={title}
        meanwhile={t('consent.meanwhile', { version: installation.version })}
        added={readAdded(pending.added)}
        busy={agree.isPending}
        onAgree={() => {
          setProblem(null);
          agree.mutate();
        }}
        onDismiss={() => {
          setProblem(null);
          setOpen(false);
        }}
      >
        {problem && <ErrorState compact error={problem} fields={problem.fields} />}
      </ConsentDialog>
      <Confirm
        open={declining}
        title={t('pending.decline_title')}
        consequences={t('pending.decline_text', { version: installation.version })}
        confirmLabel={t('pending.decline')}
        danger={false}
        busy={decline.isPending}
        onConfirm={() => decline.mutate()}
        onCancel={() => setDeclining(false)}
      />
    </Notice>
  );
}
