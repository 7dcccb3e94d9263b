/** The values behind the form: defaults, conditions, setting by path, and the checks a browser can make before the server does. */
import type { FieldProblem } from '@/api/problem';
import { translate } from '@/i18n';
import { fieldsOf, resolve, typesOf, type Field, type Json, type JsonObject, type Schema } from './schema';

export const isObject = (v: unknown): v is JsonObject => typeof v === 'object' && v !== null && !Array.isArray(v);

/** The value a new form starts with: the schema's defaults, and empty objects where an object is required. */
export function defaultsOf(schema: Schema, root: Schema = schema, depth = 0): Json {
  const s = resolve(schema, root);
  // The server completes an object that has a default of its own with the defaults of its fields; so does the form.
  const own = isObject(s.default) ? s.default : {};
  if (s.default !== undefined && !(isObject(s.default) && s.properties)) return structuredClone(s.default);
  if (s.const !== undefined) return s.const;
  if (depth < 8 && typesOf(s).includes('object') && s.properties) {
    const out: JsonObject = structuredClone(own);
    for (const field of fieldsOf(s, root, 'en')) {
      if (field.secret || field.key in out) continue;
      const value = defaultsOf(field.schema, root, depth + 1);
      const empty = isObject(value) && Object.keys(value).length === 0;
      if (value !== undefined && (!empty || field.required)) out[field.key] = value;
    }
    return out;
  }
  return undefined;
}

/** `show-if`: `{field: "mode", equals: "x"}`, `{field: "mode", in: [...]}`, `{field: "mode", not: "x"}` or short `{mode: "x"}` / `{mode: ["x", "y"]}`. */
export function isShown(showIf: JsonObject | null, siblings: JsonObject, root: JsonObject): boolean {
  if (!showIf) return true;
  const read = (path: string): Json => {
    const parts = path.replace(/^\//, '').split(/[./]/);
    const from = (start: JsonObject): Json => parts.reduce<Json>((at, part) => (isObject(at) ? at[part] : undefined), start);
    return from(siblings) ?? from(root);
  };
  const same = (a: Json, b: Json) => JSON.stringify(a) === JSON.stringify(b);
  if (typeof showIf.field === 'string') {
    const value = read(showIf.field);
    if ('equals' in showIf) return same(value, showIf.equals);
    if ('const' in showIf) return same(value, showIf.const);
    if (Array.isArray(showIf.in)) return showIf.in.some((v) => same(value, v));
    if ('not' in showIf) return !same(value, showIf.not);
    return value !== undefined && value !== null && value !== '' && value !== false;
  }
  return Object.entries(showIf).every(([path, wanted]) => {
    const value = read(path);
    return Array.isArray(wanted) ? wanted.some((v) => same(value, v)) : same(value, wanted);
  });
}

/** A copy with one property set; `undefined` removes it, so that an emptied optional field is not sent. */
export function withKey(object: JsonObject, key: string, value: Json): JsonObject {
  const { [key]: _, ...rest } = object;
  return value === undefined ? rest : { ...object, [key]: value };
}

export function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Values of fields that are not shown are dropped before sending: the server would otherwise judge what nobody can see. */
export function visibleValue(schema: Schema, value: JsonObject, root: Schema = schema, rootValue: JsonObject = value): JsonObject {
  const s = resolve(schema, root);
  let out = value;
  for (const field of fieldsOf(s, root, 'en')) {
    if (!isShown(field.showIf, value, rootValue)) out = withKey(out, field.key, undefined);
    else if (field.widget === 'object' && isObject(value[field.key])) out = withKey(out, field.key, visibleValue(field.schema, value[field.key] as JsonObject, root, rootValue));
  }
  return out;
}

/** What can be said without the server. The server's word is final; this only saves a round trip. */
export function validate(schema: Schema, value: JsonObject, root: Schema = schema, base = '', rootValue: JsonObject = value): FieldProblem[] {
  const s = resolve(schema, root);
  const out: FieldProblem[] = [];
  for (const field of fieldsOf(s, root, 'en')) {
    if (field.secret || !isShown(field.showIf, value, rootValue)) continue;
    const pointer = `${base}/${escapePointer(field.key)}`;
    const v = value[field.key];
    if (v === undefined || v === '') {
      if (field.required) out.push({ pointer, code: 'required', message: translate('form.required') });
      continue;
    }
    if (v === null) continue;
    if (field.widget === 'object' && isObject(v)) out.push(...validate(field.schema, v, root, pointer, rootValue));
    else if (field.widget === 'list' && Array.isArray(v) && field.schema.items) {
      v.forEach((item, i) => isObject(item) && out.push(...validate(field.schema.items!, item, root, `${pointer}/${i}`, rootValue)));
    }
    const message = ruleBroken(field, v);
    if (message) out.push({ pointer, code: 'invalid', message });
  }
  return out;
}

function ruleBroken(field: Field, v: Json): string | null {
  const s = field.schema;
  if (typeof v === 'string') {
    if (s.minLength !== undefined && [...v].length < s.minLength) return translate('schema.min_length', { n: s.minLength });
    if (s.maxLength !== undefined && [...v].length > s.maxLength) return translate('schema.max_length', { n: s.maxLength });
    // An address is what such patterns mean; nobody reads them.
    if (s.pattern && !matches(s.pattern, v)) return s.pattern.includes('https?://') ? translate('schema.url') : translate('schema.pattern', { pattern: s.pattern });
    if ((s.format === 'uri' || s.format === 'url') && !isUrl(v)) return translate('schema.url');
    if (s.format === 'email' && !/^[^\s@]+@[^\s@]+$/.test(v)) return translate('schema.email');
  }
  if (typeof v === 'number') {
    if (s.minimum !== undefined && v < s.minimum) return translate('schema.min', { n: s.minimum });
    if (s.maximum !== undefined && v > s.maximum) return translate('schema.max', { n: s.maximum });
    if (typesOf(s).includes('integer') && !Number.isInteger(v)) return translate('schema.integer');
  }
  if (Array.isArray(v)) {
    if (s.minItems !== undefined && v.length < s.minItems) return translate('schema.min_items', { n: s.minItems });
    if (s.maxItems !== undefined && v.length > s.maxItems) return translate('schema.max_items', { n: s.maxItems });
  }
  return null;
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text);
  } catch {
    // A pattern this browser cannot read is left to the server.
    return true;
  }
}

function isUrl(text: string): boolean {
  try {
    return Boolean(new URL(text));
  } catch {
    return false;
  }
}
