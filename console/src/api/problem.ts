/** RFC 9457 problem documents as errors, and what a person can do about them. */
import { getLocale, translate, translateValue, type MessageKey } from '@/i18n';

export interface FieldProblem {
  pointer: string;
  code: string;
  message: string;
  /** What to do about it. */
  hint?: string | null;
  /** Where it stands in a text such as a manifest, from 1. */
  line?: number | null;
}

export interface ProblemBody {
  type?: string;
  title?: string;
  status?: number;
  code?: string;
  detail?: string | null;
  hint?: string | null;
  request_id?: string;
  errors?: FieldProblem[];
  [extra: string]: unknown;
}

/** Every refusal of the server, and every failure to reach it, arrives as this. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly fields: FieldProblem[];
  readonly body: ProblemBody;

  constructor(body: ProblemBody, status: number, requestId: string | null) {
    super(body.detail || body.title || body.code || `HTTP ${status}`);
    this.name = 'ApiProblem';
    this.body = body;
    this.status = body.status ?? status;
    this.code = body.code ?? codeOfStatus(status);
    this.requestId = body.request_id ?? requestId;
    this.fields = Array.isArray(body.errors) ? body.errors.filter((e) => typeof e?.pointer === 'string') : [];
  }
}

/** The code to assume when something between the browser and the server answered without a problem document. */
function codeOfStatus(status: number): string {
  if (status === 0) return 'network';
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'permission_denied';
  if (status === 404) return 'not_found';
  if (status === 413) return 'payload_too_large';
  if (status === 429) return 'rate_limited';
  if (status === 503) return 'unavailable';
  return status >= 500 ? 'internal' : 'malformed_request';
}

/** Turns an answer's body, whatever it is, into an `ApiProblem`. */
export function toProblem(body: unknown, response: Pick<Response, 'status' | 'headers'>): ApiProblem {
  const known = body && typeof body === 'object' ? (body as ProblemBody) : {};
  return new ApiProblem(known, response.status, response.headers.get('x-request-id'));
}

export function networkProblem(cause: unknown): ApiProblem {
  const problem = new ApiProblem({ code: 'network', detail: cause instanceof Error ? cause.message : String(cause) }, 0, null);
  problem.cause = cause;
  return problem;
}

export function asProblem(error: unknown): ApiProblem {
  return error instanceof ApiProblem ? error : networkProblem(error);
}

export interface Explained {
  title: string;
  /** What happened in this case, in the server's words. */
  detail: string | null;
  /** What to do next in general; empty when the hint says it better. */
  next: string;
  /** How to put this very case right. */
  hint: string | null;
  requestId: string | null;
}

/** The words a person reads: a title and a next step in their language, the server's detail and the request id. */
export function explain(error: unknown): Explained {
  const p = asProblem(error);
  const title = translateValue('problem', p.code);
  const next = translateValue('problem_next', p.code);
  const hint = hintOf(p);
  // The server's hints are English: who reads another language keeps the general advice beside them.
  const enough = hint !== null && (hint.translated || getLocale() === 'en');
  return {
    title: title === p.code ? (p.body.title ?? translate('problem.unknown')) : title,
    detail: p.code === 'network' ? null : describe(p),
    next: enough ? '' : next === p.code ? translate('problem_next.default') : next,
    hint: hint?.text ?? null,
    requestId: p.requestId,
  };
}

/** How to put it right: in the console's own words where it has them for the reason, else in the server's. */
function hintOf(p: ApiProblem): { text: string; translated: boolean } | null {
  const reason = p.body.reason;
  if (typeof reason === 'string') {
    const text = translateValue('refusal_hint', reason);
    if (text !== reason) return { text, translated: true };
  }
  return typeof p.body.hint === 'string' && p.body.hint ? { text: p.body.hint, translated: false } : null;
}

/** Their title says it all; the server's sentence would only say it again, in English. */
const PLAIN = new Set(['invalid_credentials', 'unauthenticated', 'session_expired', 'login_state_invalid', 'permission_denied']);

function describe(p: ApiProblem): string | null {
  // Where the plugin named its fault, the server has nothing to add.
  const plain = PLAIN.has(p.code) || (p.code === 'plugin_failed' && typeof p.body.fault === 'string');
  const detail = plain ? null : (p.body.detail ?? null);
  const extras: [string, MessageKey][] = [
    ['reason', 'problem_extra.reason'],
    ['permission', 'problem_extra.permission'],
    ['meter', 'problem_extra.meter'],
    ['fault', 'problem_extra.fault'],
  ];
  const parts = extras.flatMap(([name, key]) => {
    const value = p.body[name];
    return typeof value === 'string' && !(detail ?? '').includes(value) ? [`${translate(key as 'problem_extra.reason')}: ${translateValue('refusal', value)}`] : [];
  });
  // What is known in the reader's language comes before the server's own words.
  return [...parts, detail].filter(Boolean).join(' · ') || null;
}

/** `/config/redirect_uris/0` → `['config', 'redirect_uris', '0']` (RFC 6901). */
export function pointerPath(pointer: string): string[] {
  return pointer
    .replace(/^#?\//, '')
    .split('/')
    .filter((part, _, all) => !(all.length === 1 && part === ''))
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
}

/** The field errors whose pointer lies below `prefix` (`/config`), with the prefix cut off. */
export function fieldsBelow(problem: ApiProblem | null, prefix: string): FieldProblem[] {
  if (!problem) return [];
  return problem.fields
    .filter((f) => f.pointer === prefix || f.pointer.startsWith(`${prefix}/`))
    .map((f) => ({ ...f, pointer: f.pointer.slice(prefix.length) }));
}

/** The errors that a form for `/config` and `/secrets` has no field for. */
export function fieldsBeside(problem: ApiProblem): FieldProblem[] {
  return problem.fields.filter((f) => !/^\/(config|secrets)(\/|$)/.test(f.pointer));
}
