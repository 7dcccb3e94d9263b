/** The steps of a sign-in through a connection, as the server tells them. */
import { formFields, isWebAddress, type Handover } from '@/shared/ui/act/handover';

export interface PromptField {
  name: string;
  label: string;
  secret: boolean;
}

export type LoginStep =
  | { type: 'handover'; to: Handover }
  | { type: 'prompt'; fields: PromptField[] }
  | { type: 'qr'; payload: string; pollMs: number }
  | { type: 'wait'; show: Record<string, unknown>; pollMs: number }
  | { type: 'done'; returnTo: string }
  /** A widget of the provider, or a step of a later version. */
  | { type: 'unknown' };

export function readLoginStep(answer: unknown): LoginStep {
  const a = (answer ?? {}) as Record<string, unknown>;
  const pollMs = typeof a.poll_ms === 'number' ? a.poll_ms : 2_000;
  switch (a.step) {
    case 'redirect':
      return isWebAddress(a.url) ? { type: 'handover', to: { type: 'redirect', url: a.url } } : { type: 'unknown' };
    case 'form_post':
      return isWebAddress(a.url) ? { type: 'handover', to: { type: 'form_post', url: a.url, fields: formFields(a.fields) } } : { type: 'unknown' };
    case 'prompt':
      return { type: 'prompt', fields: (Array.isArray(a.fields) ? a.fields : []) as PromptField[] };
    case 'qr':
      return typeof a.payload === 'string' ? { type: 'qr', payload: a.payload, pollMs } : { type: 'unknown' };
    case 'wait':
      return { type: 'wait', show: (a.show && typeof a.show === 'object' ? a.show : {}) as Record<string, unknown>, pollMs };
    case 'done':
      // A path of this server; a full address here would be an open redirect.
      return { type: 'done', returnTo: typeof a.return_to === 'string' && /^\/(?![/\\])/.test(a.return_to) ? a.return_to : '/' };
    default:
      return { type: 'unknown' };
  }
}
