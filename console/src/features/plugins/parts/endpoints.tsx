/** Addresses to enter at the other side: the sign-in callback and the webhooks. */
import type { Installation } from '@/api/models';
import { useT } from '@/i18n';
import { CopyButton } from '@/shared/ui/copyable';

export function Endpoints({ installation }: { installation: Installation }) {
  const { t } = useT();
  const rows = [
    ...(installation.callback_url ? [{ name: t('plugins.callback'), url: installation.callback_url }] : []),
    ...installation.endpoints.map((e) => ({ name: t('plugins.webhook', { name: e.name }), url: e.url })),
  ];
  if (rows.length === 0) return <p className="muted">{t('plugins.no_endpoints')}</p>;
  return (
    <>
      <p className="muted">{t('plugins.endpoints_text')}</p>
      <dl className="endpoints">
        {rows.map((r) => (
          <div key={r.url}>
            <dt>{r.name}</dt>
            <dd>
              <code>{r.url}</code>
              <CopyButton text={r.url} />
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
