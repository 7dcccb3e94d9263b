/** Handing the browser over to somebody else's page: a payment provider's, an identity provider's. */

export type Handover = { type: 'redirect'; url: string } | { type: 'form_post'; url: string; fields: [name: string, value: string][] };

/** Addresses of providers only: nothing but http(s) is followed. */
export function isWebAddress(url: unknown): url is string {
  try {
    return typeof url === 'string' && ['http:', 'https:'].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}

/** The fields of a form as pairs, whichever way they were written. */
export function formFields(fields: unknown): [name: string, value: string][] {
  const pairs: unknown[] = Array.isArray(fields) ? fields : Object.entries((fields ?? {}) as object);
  return pairs.filter(Array.isArray).map(([name, value]) => [String(name), String(value)]);
}

/** Leaves this page. */
export function follow(step: Handover): void {
  if (step.type === 'redirect') {
    location.assign(step.url);
    return;
  }
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
