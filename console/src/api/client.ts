/** The typed HTTP client: one per API base, so that the operator's console can speak for a tenant through `/t/{slug}`. */
import createClient, { type Client } from 'openapi-fetch';
import { networkProblem, toProblem } from './problem';
import type { paths } from './schema';

export type Api = Client<paths>;

export interface ApiHandle {
  /** `''` on the console's own host, `/t/acme` for a tenant by path. */
  base: string;
  api: Api;
  /** The token unsafe requests must carry; set when the session is known. */
  csrf: { token: string | null };
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export function createApi(base: string): ApiHandle {
  const csrf: ApiHandle['csrf'] = { token: null };
  const api = createClient<paths>({
    baseUrl: base,
    credentials: 'same-origin',
    // Looked up per call, so that tests can put their own in place.
    fetch: (request) => globalThis.fetch(request),
  });
  api.use({
    onRequest({ request }) {
      if (!SAFE.has(request.method) && csrf.token) request.headers.set('X-CSRF-Token', csrf.token);
      request.headers.set('Accept', 'application/json, application/problem+json');
      return request;
    },
  });
  return { base, api, csrf };
}

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** Waits for an answer and returns its body; every refusal is thrown as an `ApiProblem`. */
export async function take<T>(answer: Promise<Answer<T>>): Promise<T> {
  let result: Answer<T>;
  try {
    result = await answer;
  } catch (cause) {
    throw networkProblem(cause);
  }
  if (!result.response.ok) throw toProblem(result.error, result.response);
  return result.data as T;
}
