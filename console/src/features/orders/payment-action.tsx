/** What the payer does next: follow a link, scan a code, or be handed over by a form. */
import { Button, QRCode } from 'antd';
import type { Order } from '@/api/models';
import { colors, useTheme } from '@/app/theme';
import { useT } from '@/i18n';
import { CopyButton } from '@/shared/ui/copyable';

type Action = NonNullable<Order['action']>;

/** Addresses of providers only: nothing but http(s) is followed. */
export function isWebAddress(url: string | null | undefined): url is string {
  try {
    return !!url && ['http:', 'https:'].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}

export function followAction(action: Action): void {
  if (!('url' in action) || !isWebAddress(action.url)) return;
  if (action.type === 'redirect') {
    location.assign(action.url);
    return;
  }
  if (action.type !== 'form_post') return;
  const form = document.createElement('form');
  form.method = 'post';
  form.action = action.url;
  const fields: unknown = action.fields;
  const pairs = Array.isArray(fields) ? (fields as [string, string][]) : Object.entries((fields ?? {}) as Record<string, string>);
  for (const [name, value] of pairs) {
    const input = document.createElement('input');
    input.type = 'hidden';
    input.name = name;
    input.value = String(value);
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}

export function PaymentAction({ action }: { action: Action }) {
  const { t } = useT();
  const theme = useTheme();
  const c = colors(theme.name);
  if (action.type === 'qr') {
    const payload = ('payload' in action ? action.payload : null) ?? '';
    return (
      <div className="stack center" data-testid="payment-qr">
        {/* Always dark on light: some scanners cannot read the inverse. */}
        <QRCode aria-label={t('orders.scan')} value={payload} size={220} color="#111" bgColor="#fff" bordered={false} style={{ padding: 12, border: `1px solid ${c.border}` }} type="canvas" />
        <p>{t('orders.scan')}</p>
        <span className="row muted small">
          <code className="clip">{payload}</code> <CopyButton text={payload} />
        </span>
      </div>
    );
  }
  return (
    <div className="stack">
      <p>{t('orders.redirect_text')}</p>
      <div className="row">
        <Button type="primary" onClick={() => followAction(action)} data-testid="payment-continue">
          {t('orders.continue')}
        </Button>
        {action.type === 'redirect' && 'url' in action && action.url && <CopyButton text={action.url} label={t('orders.copy_link')} />}
      </div>
    </div>
  );
}
