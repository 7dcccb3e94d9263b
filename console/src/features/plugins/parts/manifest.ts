/** What a plugin asks for, read from its manifest in words a person can weigh before granting it. */
import { localized, translate, type Locale } from '@/i18n';
import { formatBytes } from '@/shared/format';
import type { Schema } from '@/shared/schema-form';
import { fieldsOf } from '@/shared/schema-form/schema';

export type CapabilityKind = 'egress' | 'secret' | 'kv' | 'endpoint' | 'job' | 'dataset' | 'dial' | 'other';

export interface Capability {
  kind: CapabilityKind;
  /** What exactly: hosts, a secret's name, a dataset. */
  subject: string;
  /** More: methods, sizes, uses. */
  detail: string;
  /** The author's words. */
  reason: string;
}

export interface ManifestSecret {
  name: string;
  kind: string;
  title: string;
  description: string;
  required: boolean;
}

/** Host functions that give a plugin nothing to weigh: its own settings, the time, a log line. */
const HARMLESS = new Set(['config', 'clock', 'log', 'random', 'datasets']);

type Obj = Record<string, unknown>;
const isObject = (v: unknown): v is Obj => typeof v === 'object' && v !== null && !Array.isArray(v);
const list = (v: unknown): Obj[] => (Array.isArray(v) ? v.filter(isObject) : []);
const strings = (v: unknown): string[] => (Array.isArray(v) ? v.filter((x): x is string => typeof x === 'string') : []);
const text = (v: unknown): string => (v === undefined || v === null ? '' : typeof v === 'string' ? v : typeof v === 'object' ? JSON.stringify(v) : String(v));

const section = (manifest: Obj, name: string): Obj[] => list(manifest[name]);

/** `${config.issuer}` in words: the address in a setting, by the setting's title. Other hosts stand for themselves. */
function hostInWords(pattern: string, schema: Schema | undefined, locale: Locale): string {
  const match = /^\$\{config\.([\w.-]+)\}$/.exec(pattern);
  if (!match) return pattern;
  const key = match[1]!;
  const title = schema ? fieldsOf(schema, schema, locale).find((f) => f.key === key)?.title : undefined;
  return translate('plugins.config_host', { name: title ?? key });
}

export function capabilitiesOf(manifest: unknown, locale: Locale, schema?: Schema): Capability[] {
  if (!isObject(manifest)) return [];
  const out: Capability[] = [];
  const reason = (o: Obj) => localized(o.reason ?? o.description ?? o.label, locale);
  for (const e of section(manifest, 'egress')) {
    out.push({ kind: e.kind === 'tcp' || e.kind === 'dial' ? 'dial' : 'egress', subject: strings(e.hosts).map((h) => hostInWords(h, schema, locale)).join(', '), detail: '', reason: reason(e) });
  }
  for (const s of section(manifest, 'secret')) {
    const uses = strings(s.use);
    const hosts = strings(s.hosts);
    out.push({ kind: 'secret', subject: text(s.name), detail: [uses.join(', '), hosts.length > 0 ? `→ ${hosts.map((h) => hostInWords(h, schema, locale)).join(', ')}` : ''].filter(Boolean).join(' '), reason: reason(s) });
  }
  const datasets = new Set(section(manifest, 'report').flatMap((r) => strings(r.datasets)));
  if (isObject(manifest.grants)) {
    for (const [name, value] of Object.entries(manifest.grants)) {
      if (value === false || value === null || value === undefined) continue;
      if (name === 'interfaces') {
        const plain = strings(value).filter((i) => !HARMLESS.has(i));
        if (plain.length > 0) out.push({ kind: 'other', subject: plain.join(', '), detail: '', reason: '' });
      } else if (name === 'datasets') for (const d of strings(value)) datasets.add(d);
      else out.push({ kind: name === 'kv' ? 'kv' : 'other', subject: name === 'kv' ? describeSizes(value) : name, detail: name === 'kv' ? '' : describeSizes(value), reason: '' });
    }
  }
  for (const d of datasets) out.push({ kind: 'dataset', subject: d, detail: '', reason: '' });
  for (const e of section(manifest, 'endpoint')) {
    out.push({ kind: 'endpoint', subject: text(e.name), detail: strings(e.methods).join(' '), reason: reason(e) });
  }
  for (const j of section(manifest, 'job')) out.push({ kind: 'job', subject: text(j.name), detail: text(j.every ?? j.cron), reason: reason(j) });
  return out;
}

/** `{bytes: 1048576, keys: 1000}` → `1 MiB, 1,000 keys`. */
function describeSizes(value: unknown): string {
  if (!isObject(value)) return value === true ? '' : text(value);
  return Object.entries(value)
    .map(([k, v]) => {
      if (k === 'bytes') return typeof v === 'number' ? formatBytes(v) : text(v);
      return k === 'keys' && typeof v === 'number' ? translate('plugins.keys', { n: v }) : `${text(v)} ${k}`;
    })
    .join(', ');
}

export function secretsOf(manifest: unknown, locale: Locale): ManifestSecret[] {
  if (!isObject(manifest)) return [];
  return section(manifest, 'secret').map((s) => ({
    name: text(s.name),
    kind: text(s.kind),
    title: localized(s.label, locale),
    description: localized(s.help, locale),
    required: s.required !== false,
  }));
}

/** The config schema with a field for each declared secret it does not mention itself. */
export function withSecrets(schema: Schema, secrets: ManifestSecret[]): Schema {
  const mentioned = new Map<string, string>();
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const hint = property['x-aistack']?.secret;
    if (hint) mentioned.set(key, typeof hint === 'string' ? hint : key);
    else if (property['x-aistack']?.widget === 'password') mentioned.set(key, key);
  }
  const missing = secrets.filter((s) => s.name && ![...mentioned.values()].includes(s.name));
  const properties: Record<string, Schema> = { ...schema.properties };
  const needed = new Set(secrets.filter((s) => s.required).map((s) => s.name));
  // A secret the manifest requires is required whatever the config schema says of its field.
  const required = [...new Set([...(schema.required ?? []), ...[...mentioned].filter(([, name]) => needed.has(name)).map(([key]) => key)])];
  missing.forEach((s, i) => {
    // The key cannot meet a real property: config keys never start with a dollar sign.
    const key = `$secret.${s.name}`;
    properties[key] = { type: 'string', title: s.title || undefined, description: s.description || undefined, format: s.kind, 'x-aistack': { secret: s.name, order: 10_000 + i } };
    if (!properties[key].title) properties[key].title = s.name.replaceAll('_', ' ').replace(/^./, (c) => c.toUpperCase());
    if (s.required) required.push(key);
  });
  return { ...schema, type: schema.type ?? 'object', properties, required };
}

/** Required secrets that have neither a stored nor a typed value. */
export function missingSecrets(secrets: ManifestSecret[], stored: ReadonlySet<string>, typed: Record<string, string>): string[] {
  return secrets.filter((s) => s.required && !stored.has(s.name) && !typed[s.name]).map((s) => s.name);
}
