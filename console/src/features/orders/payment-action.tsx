/** What the payer does next: follow a link, scan a code, or be handed over by a form. */
import { Button } from 'antd';
import { useT } from '@/i18n';
import { CopyButton } from '@/shared/ui/copyable';
import { follow, formFields, isWebAddress, type Handover } from '@/shared/ui/act/handover';
import { ScanCode } from '@/shared/ui/qr';

export type Step = Handover | { type: 'qr'; payload: string };

/** What a payment plugin asks of the payer, as far as a browser can do it; anything else is `null`. */
export function readStep(action: unknown): Step | null {
  if (!action || typeof action !== 'object') return null;
  const { type, url, payload, fields } = action as Record<string, unknown>;
  if (type === 'qr' && typeof payload === 'string') return { type, payload };
  if (type === 'redirect' && isWebAddress(url)) return { type, url };
  if (type === 'form_post' && isWebAddress(url)) return { type, url, fields: formFields(fields) };
  return null;
}

export function followStep(step: Step): void {
  if (step.type !== 'qr') follow(step);
}

export function PaymentAction({ step }: { step: Step }) {
  const { t } = useT();
  if (step.type === 'qr') return <ScanCode payload={step.payload} label={t('orders.scan')} testId="payment-qr" />;
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
