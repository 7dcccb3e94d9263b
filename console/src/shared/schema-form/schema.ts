/** Reads a JSON Schema as a list of form fields: references followed, hints applied, order and groups settled. No React here. */
import { localized, type Locale } from '@/i18n';

export type Json = unknown;
export type JsonObject = Record<string, Json>;

export interface Schema {
  $ref?: string;
  type?: string | string[];
  title?: string;
  description?: string;
  default?: Json;
  const?: Json;
  enum?: Json[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: boolean | Schema;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  examples?: Json[];
  readOnly?: boolean;
  $defs?: Record<string, Schema>;
  definitions?: Record<string, Schema>;
  'x-aistack'?: Hints;
}

export interface Hints {
  order?: number;
  group?: string;
  widget?: string;
  /** `true`, or the name of the secret the value is stored under. */
  secret?: boolean | string;
  'show-if'?: JsonObject;
  /** By language; `enum` has the labels of the values. */
  i18n?: Record<string, { title?: string; description?: string; placeholder?: string; enum?: Record<string, string> }>;
  /** On the root: titles of the groups. */
  groups?: Record<string, { order?: number; title?: string; i18n?: Record<string, { title?: string; description?: string }> }>;
}

export type Widget = 'text' | 'textarea' | 'number' | 'switch' | 'select' | 'radio' | 'multiselect' | 'tags' | 'keyvalue' | 'secret' | 'date' | 'code' | 'object' | 'list' | 'const';
const WIDGETS: ReadonlySet<string> = new Set<Widget>(['text', 'textarea', 'number', 'switch', 'select', 'radio', 'multiselect', 'tags', 'keyvalue', 'secret', 'date', 'code', 'object', 'list', 'const']);

export interface Field {
  key: string;
  schema: Schema;
  widget: Widget;
  title: string;
  description: string;
  placeholder: string;
  required: boolean;
  nullable: boolean;
  options: { value: Json; label: string }[];
  group: string;
  order: number;
  showIf: JsonObject | null;
  /** The name the secret is stored under, for secret fields. */
  secret: string | null;
}

/** Follows a local reference and folds `allOf` in; a cycle ends at the reference itself. */
export function resolve(schema: Schema, root: Schema, seen: readonly string[] = []): Schema {
  let out = schema;
  if (schema.$ref) {
    if (seen.includes(schema.$ref)) return { ...schema, $ref: undefined };
    const target = lookup(root, schema.$ref);
    const { $ref, ...own } = schema;
    out = target ? { ...resolve(target, root, [...seen, $ref]), ...own } : own;
  }
  if (out.allOf) {
    const { allOf, ...own } = out;
    out = allOf.map((s) => resolve(s, root, seen)).reduce<Schema>((a, b) => merge(a, b), own);
  }
  return out;
}

function lookup(root: Schema, ref: string): Schema | null {
  if (ref === '#') return root;
  if (!ref.startsWith('#/')) return null;
  let at: unknown = root;
  for (const part of ref.slice(2).split('/')) {
    const key = decodeURIComponent(part).replace(/~1/g, '/').replace(/~0/g, '~');
    at = at && typeof at === 'object' ? (at as JsonObject)[key] : undefined;
  }
  return at && typeof at === 'object' ? (at as Schema) : null;
}

function merge(a: Schema, b: Schema): Schema {
  return {
    ...a,
    ...b,
    properties: a.properties || b.properties ? { ...a.properties, ...b.properties } : undefined,
    required: a.required || b.required ? [...new Set([...(a.required ?? []), ...(b.required ?? [])])] : undefined,
  };
}

export function typesOf(schema: Schema): string[] {
  if (schema.type) return Array.isArray(schema.type) ? schema.type : [schema.type];
  if (schema.properties) return ['object'];
  if (schema.items) return ['array'];
  const samples = schema.enum ?? (schema.const !== undefined ? [schema.const] : []);
  return [...new Set(samples.map((v) => (v === null ? 'null' : Array.isArray(v) ? 'array' : typeof v)))];
}

/** `{type: X, anyOf: [..., {type: null}]}` written by generators for optional values becomes X, nullable. */
function unwrapNullable(schema: Schema, root: Schema): { schema: Schema; nullable: boolean } {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives?.some((s) => resolve(s, root).type === 'null')) {
    const rest = alternatives.filter((s) => resolve(s, root).type !== 'null');
    const { anyOf: _a, oneOf: _o, ...own } = schema;
    if (rest.length === 1) return { schema: { ...resolve(rest[0]!, root), ...own }, nullable: true };
    return { schema: { ...own, [schema.anyOf ? 'anyOf' : 'oneOf']: rest }, nullable: true };
  }
  return { schema, nullable: typesOf(schema).includes('null') };
}

function optionsOf(schema: Schema, root: Schema, locale: Locale): Field['options'] {
  const words = i18nOf(schema, locale)?.enum ?? {};
  if (schema.enum) return schema.enum.filter((v) => v !== null).map((value) => ({ value, label: words[String(value)] ?? String(value) }));
  const alternatives = (schema.oneOf ?? schema.anyOf ?? []).map((s) => resolve(s, root));
  if (alternatives.length > 0 && alternatives.every((s) => s.const !== undefined)) {
    return alternatives.map((s) => ({ value: s.const, label: i18nOf(s, locale)?.title ?? words[String(s.const)] ?? s.title ?? String(s.const) }));
  }
  return [];
}

function i18nOf(schema: Schema, locale: Locale) {
  const texts = schema['x-aistack']?.i18n;
  if (!texts) return undefined;
  return locale === 'zh' ? (texts['zh-CN'] ?? texts.zh) : texts.en;
}

export function widgetOf(schema: Schema, options: Field['options'], root: Schema): Widget {
  const hint = schema['x-aistack'];
  if (hint?.secret) return 'secret';
  if (hint?.widget === 'password') return 'secret';
  if (hint?.widget && WIDGETS.has(hint.widget)) return hint.widget as Widget;
  if (schema.const !== undefined) return 'const';
  if (options.length > 0) return options.length <= 3 ? 'radio' : 'select';
  const type = typesOf(schema).find((t) => t !== 'null');
  if (type === 'boolean') return 'switch';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'string' && schema.format === 'date') return 'date';
  if (type === 'string') return schema.format === 'textarea' || (schema.maxLength ?? 0) > 300 ? 'textarea' : 'text';
  if (type === 'array') {
    const items = schema.items ? resolve(schema.items, root) : {};
    if (items.enum || items.oneOf?.every((s) => s.const !== undefined)) return 'multiselect';
    if (typesOf(items).includes('string')) return 'tags';
    return items.properties ? 'list' : 'code';
  }
  if (type === 'object') {
    if (schema.properties) return 'object';
    const extra = schema.additionalProperties;
    if (extra && typeof extra === 'object' && typesOf(resolve(extra, root)).every((t) => t === 'string')) return 'keyvalue';
  }
  return 'code';
}

/** `redirect_uris` → `Redirect uris`, for schemas without titles. */
export function humanize(key: string): string {
  const text = key.replace(/([a-z\d])([A-Z])/g, '$1 $2').replace(/[_-]+/g, ' ').trim().toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function fieldsOf(objectSchema: Schema, root: Schema, locale: Locale): Field[] {
  const required = new Set(objectSchema.required ?? []);
  const fields = Object.entries(objectSchema.properties ?? {}).map(([key, raw], index): Field => {
    const { schema, nullable } = unwrapNullable(resolve(raw, root), root);
    const hints = schema['x-aistack'] ?? {};
    const options = typesOf(schema).includes('array') && schema.items ? optionsOf(resolve(schema.items, root), root, locale) : optionsOf(schema, root, locale);
    const words = i18nOf(schema, locale);
    const widget = widgetOf(schema, typesOf(schema).includes('array') ? [] : options, root);
    return {
      key,
      schema,
      widget,
      title: words?.title ?? schema.title ?? humanize(key),
      description: words?.description ?? schema.description ?? '',
      placeholder: words?.placeholder ?? (typeof schema.examples?.[0] === 'string' || typeof schema.examples?.[0] === 'number' ? String(schema.examples[0]) : ''),
      required: required.has(key),
      nullable,
      options,
      group: hints.group ?? '',
      order: hints.order ?? 1000 + index,
      showIf: hints['show-if'] ?? null,
      secret: widget === 'secret' ? (typeof hints.secret === 'string' ? hints.secret : key) : null,
    };
  });
  return fields.sort((a, b) => a.order - b.order);
}

export interface Group {
  key: string;
  title: string;
  fields: Field[];
}

export function groupsOf(fields: Field[], root: Schema, locale: Locale): Group[] {
  const named = root['x-aistack']?.groups ?? {};
  const groups = new Map<string, Group>();
  for (const field of fields) {
    let group = groups.get(field.group);
    if (!group) {
      const hint = named[field.group];
      const title = hint ? (localized(mapTitles(hint.i18n), locale) || hint.title) : undefined;
      group = { key: field.group, title: field.group ? (title ?? humanize(field.group)) : '', fields: [] };
      groups.set(field.group, group);
    }
    group.fields.push(field);
  }
  // Fields without a group come first, groups nobody described last.
  const place = (key: string) => (key === '' ? -1 : (named[key]?.order ?? 1000));
  return [...groups.values()].sort((a, b) => place(a.key) - place(b.key));
}

function mapTitles(i18n: Record<string, { title?: string }> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(i18n ?? {}).flatMap(([tag, v]) => (v.title ? [[tag, v.title]] : [])));
}
