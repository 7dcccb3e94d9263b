/** The end of a tenant: what the menu offers, and the questions behind it. */
import { take } from '@/api/client';
import type { Tenant } from '@/api/models';
import { useScope } from '@/api/scope';
import { useT } from '@/i18n';
import { useAction } from '@/shared/ui/act/action';
import { Confirm } from '@/shared/ui/act/confirm';
import { useGo } from '@/shared/ui/link';
import { Notice } from '@/shared/ui/notice';
import { RelativeTime } from '@/shared/ui/time';

export type Ending = 'close' | 'restore' | 'purge';

/** What can be done about a tenant's end in its state. */
export function endings(status: string): Ending[] {
  if (status === 'closing') return ['restore', 'purge'];
  return ['active', 'past_due', 'read_only', 'suspended'].includes(status) ? ['close'] : [];
}

export function EndingNotice({ tenant }: { tenant: Tenant }) {
  const { t } = useT();
  if (tenant.status !== 'closing' || !tenant.erased_at) return null;
  const [before = '', after = ''] = t('ending.notice_text', { when: '\u0000' }).split('\u0000');
  return (
    <Notice tone="warn" title={t('ending.notice')}>
      <p>
        {before}
        <RelativeTime value={tenant.erased_at} />
        {after}
      </p>
    </Notice>
  );
}

export function EndingDialogs({ tenant, open, onClose }: { tenant: Tenant; open: Ending | null; onClose: () => void }) {
  const { t, tv } = useT();
  const platform = useScope();
  const go = useGo();
  const params = { path: { tenant: tenant.slug } };
  const change = useAction({
    run: (input: { verb: Ending; reason: string }) => {
      const { reason } = input;
      if (input.verb === 'close') return take(platform.api.POST('/api/v1/tenants/{tenant}/close', { params, body: { reason } }));
      if (input.verb === 'restore') return take(platform.api.POST('/api/v1/tenants/{tenant}/restore', { params, body: { reason } }));
      return take(platform.api.POST('/api/v1/tenants/{tenant}/purge', { params, body: { reason, confirm: tenant.slug } }));
    },
    invalidate: [[platform.key, 'tenants'], [platform.key, 'overview']],
    done: (r) => (r.status === 'purged' ? t('ending.purged', { name: tenant.slug }) : t('tenants.changed', { status: tv('status', r.status) })),
    after: (r) => {
      onClose();
      // There is nothing left to show.
      if (r.status === 'purged') go('/tenants');
    },
  });
  const ask = (verb: Ending) => ({
    open: open === verb,
    title: t(`ending.${verb}_title`, { name: tenant.name }),
    consequences: t(`ending.${verb}_text`),
    reason: true,
    confirmLabel: t(`ending.${verb}`),
    busy: change.isPending,
    onConfirm: (reason: string) => change.mutate({ verb, reason }),
    onCancel: onClose,
  });
  return (
    <>
      <Confirm {...ask('close')} name={tenant.slug} />
      <Confirm {...ask('restore')} danger={false} />
      <Confirm {...ask('purge')} name={tenant.slug} />
    </>
  );
}
