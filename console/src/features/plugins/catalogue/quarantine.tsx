/** Taking a plugin version out of service, and putting it back. */
import { Button } from 'antd';
import { useState } from 'react';
import { take } from '@/api/client';
import type { Plugin } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { Notice } from '@/shared/ui/notice';

export function QuarantineButton({ plugin }: { plugin: Plugin }) {
  const { t } = useT();
  const scope = useScope();
  const [asking, setAsking] = useState(false);
  const hold = useAction({
    run: (reason: string) => take(scope.api.POST('/api/v1/plugins/{plugin}/quarantine', { params: { path: { plugin: plugin.id } }, body: { reason } })),
    invalidate: [[scope.key, 'plugins']],
    done: () => t('quarantine.done'),
    after: () => setAsking(false),
  });
  if (plugin.quarantined || !scope.can('platform.plugin:write')) return null;
  return (
    <>
      <Button onClick={() => setAsking(true)} data-testid="plugin-quarantine">
        {t('quarantine.action')}
      </Button>
      <Confirm
        open={asking}
        title={t('quarantine.title', { version: plugin.version })}
        consequences={t('quarantine.text', { n: plugin.installations })}
        reason
        reasonLabel={t('quarantine.reason')}
        confirmLabel={t('quarantine.action')}
        busy={hold.isPending}
        onConfirm={(reason) => hold.mutate(reason)}
        onCancel={() => setAsking(false)}
      />
    </>
  );
}

export function QuarantineNotice({ plugin }: { plugin: Plugin }) {
  const { t } = useT();
  const scope = useScope();
  const lift = useAction({
    run: () => take(scope.api.POST('/api/v1/plugins/{plugin}/release-quarantine', { params: { path: { plugin: plugin.id } } })),
    invalidate: [[scope.key, 'plugins']],
    done: () => t('quarantine.lifted'),
  });
  if (!plugin.quarantined) return null;
  return (
    <Notice
      tone="bad"
      testId="plugin-held"
      title={t('held.title', { version: plugin.version })}
      actions={
        scope.can('platform.plugin:write') && (
          <Button loading={lift.isPending} onClick={() => lift.mutate()} data-testid="plugin-quarantine-lift">
            {t('quarantine.lift')}
          </Button>
        )
      }
    >
      <p>{t('held.reason', { reason: plugin.quarantined })}</p>
      <p className="muted">{t('quarantine.meaning')}</p>
    </Notice>
  );
}
