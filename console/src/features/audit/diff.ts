/** Reads the changes out of an event's details: `{before, after}`, `{changes: {field: {before, after}}}` or `{changes: {field: [before, after]}}`. */

export interface Change {
  field: string;
  before: unknown;
  after: unknown;
}

type Obj = Record<string, unknown>;
const isObject = (v: unknown): v is Obj => typeof v === 'object' && v !== null && !Array.isArray(v);

export function changesOf(details: unknown): { changes: Change[]; rest: unknown } {
  if (!isObject(details)) return { changes: [], rest: details ?? null };
  const { before, after, changes, ...rest } = details;
  const found: Change[] = [];
  if (isObject(changes)) {
    for (const [field, value] of Object.entries(changes)) {
      if (Array.isArray(value) && value.length === 2) found.push({ field, before: value[0], after: value[1] });
      else if (isObject(value)) found.push({ field, before: value.before ?? value.from, after: value.after ?? value.to });
    }
  }
  if (isObject(before) || isObject(after)) found.push(...diff(isObject(before) ? before : {}, isObject(after) ? after : {}));
  else if (before !== undefined || after !== undefined) found.push({ field: 'value', before, after });
  const remains = {
    ...rest,
    ...(found.length === 0 && changes !== undefined ? { changes } : {}),
  };
  return { changes: found, rest: Object.keys(remains).length > 0 ? remains : null };
}

/** Field by field, going into nested objects; arrays are compared as a whole. */
export function diff(before: Obj, after: Obj, prefix = ''): Change[] {
  const out: Change[] = [];
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const field = prefix ? `${prefix}.${key}` : key;
    const a = before[key];
    const b = after[key];
    if (isObject(a) && isObject(b)) out.push(...diff(a, b, field));
    else if (JSON.stringify(a) !== JSON.stringify(b)) out.push({ field, before: a, after: b });
  }
  return out;
}
