/** What the payer does next: follow a link, scan a code, or be handed over by a form. */
import { Button, QRCode } from 'antd';
import { colors, useTheme } from '@/app/theme';
import { useT } from '@/i18n';
import { CopyButton } from '@/shared/ui/copyable';

export type Step =
  | { type: 'redirect'; url: string }
  | { type: 'qr'; payload: string }
  | { type: 'form_post'; url: string; fields: [name: string, value: string][] };

/** Addresses of providers only: nothing but http(s) is followed. */
export function isWebAddress(url: unknown): url is string {
  try {
    return typeof url === 'string' && ['http:', 'https:'].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}

/** What a payment plugin asks of the payer, as far as a browser can do it; anything else is `null`. */
export function readStep(action: unknown): Step | null {
  if (!action || typeof action !== 'object') return null;
  const { type, url, payload, fields } = action as Record<string, unknown>;
  if (type === 'qr' && typeof payload === 'string') return { type, payload };
  if (type === 'redirect' && isWebAddress(url)) return { type, url };
  if (type === 'form_post' && isWebAddress(url)) {
    const pairs: unknown[] = Array.isArray(fields) ? fields : Object.entries((fields ?? {}) as object);
    return { type, url, fields: pairs.filter(Array.isArray).map(([name, value]) => [String(name), String(value)]) };
  }
  return null;
}

export function followStep(step: Step): void {
  if (step.type === 'redirect') location.assign(step.url);
  if (step.type !== 'form_post') return;
  const form = document.createElement('form');
  form.method = 'post';
  form.action = step.url;
  for (const [name, value] of step.fields) {
    const input = document.createElement('input');
    input.type = 'hidden';
    input.name = name;
    input.value = value;
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}

export function PaymentAction({ step }: { step: Step }) {
  const { t } = useT();
  const theme = useTheme();
  const c = colors(theme.name);
  if (step.type === 'qr') {
    const { payload } = step;
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
        <Button type="primary" onClick={() => followStep(step)} data-testid="payment-continue">
          {t('orders.continue')}
        </Button>
        {step.type === 'redirect' && <CopyButton text={step.url} label={t('orders.copy_link')} />}
      </div>
    </div>
  );
}
