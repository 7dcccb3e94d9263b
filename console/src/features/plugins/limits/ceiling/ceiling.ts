/** The operator's ceiling: the most a plugin may be granted, whatever it declares and whatever a tenant agrees to. */
import type { Plugin, PluginCeiling } from '@/api/models';
import { defaultsOf, type Schema } from '@/shared/schema-form';

export interface SecretBound {
  uses: string[];
  /** Where it may be sent. */
  hosts: string[];
}

/** `null` does not bound; an empty list lets nothing through. */
export interface Bounds {
  interfaces: string[] | null;
  http_hosts: string[] | null;
  dial_targets: string[] | null;
  private_hosts: string[] | null;
  datasets: string[] | null;
  secrets: Record<string, SecretBound> | null;
  kv_bytes: number | null;
  kv_keys: number | null;
}

export interface Ceiling {
  /** Whether the plugin may be used at all. */
  allowed: boolean;
  grants: Bounds;
}

export const LISTS = ['interfaces', 'http_hosts', 'dial_targets', 'private_hosts', 'datasets'] as const;
export type ListName = (typeof LISTS)[number];

/** Host interfaces that reach something outside the call; the others are never taken away. */
export const REACHING = ['http', 'dial', 'download', 'secrets', 'reveal', 'kv', 'blob', 'datasets'];

export const OPEN: Ceiling = {
  allowed: true,
  grants: { interfaces: null, http_hosts: null, dial_targets: null, private_hosts: null, datasets: null, secrets: null, kv_bytes: null, kv_keys: null },
};

type Obj = Record<string, unknown>;
const isObject = (v: unknown): v is Obj => typeof v === 'object' && v !== null && !Array.isArray(v);
const texts = (v: unknown): string[] => (Array.isArray(v) ? v.filter((x): x is string => typeof x === 'string') : []);
const bound = (v: unknown): string[] | null => (Array.isArray(v) ? texts(v) : null);
const figure = (v: unknown): number | null => (typeof v === 'number' ? v : null);

export function readCeiling(answer: PluginCeiling): Ceiling {
  const g: Obj = isObject(answer.grants) ? answer.grants : {};
  const secrets = isObject(g.secrets) ? g.secrets : null;
  const one = (v: unknown): SecretBound => ({ uses: texts(isObject(v) ? v.uses : null), hosts: texts(isObject(v) ? v.hosts : null) });
  return {
    allowed: answer.allowed !== false,
    grants: {
      interfaces: bound(g.interfaces),
      http_hosts: bound(g.http_hosts),
      dial_targets: bound(g.dial_targets),
      private_hosts: bound(g.private_hosts),
      datasets: bound(g.datasets),
      secrets: secrets && Object.fromEntries(Object.entries(secrets).map(([name, v]) => [name, one(v)])),
      kv_bytes: figure(g.kv_bytes),
      kv_keys: figure(g.kv_keys),
    },
  };
}

/** The request: only what bounds. A secret of which nothing may be used is not named. */
export function ceilingBody({ allowed, grants }: Ceiling): PluginCeiling {
  const set = Object.entries(grants).filter(([, v]) => v !== null && v !== undefined);
  const out: Obj = Object.fromEntries(set);
  if (grants.secrets) out.secrets = Object.fromEntries(Object.entries(grants.secrets).filter(([, s]) => s.uses.length > 0));
  return { allowed, grants: out as never };
}

/** The members that bound, in the order they are read. */
export function boundMembers(grants: Bounds): (keyof Bounds)[] {
  return ([...LISTS, 'secrets', 'kv_bytes', 'kv_keys'] as const).filter((name) => grants[name] !== null && grants[name] !== undefined);
}

/** Lets everything through: as good as no ceiling. */
export function isOpen({ allowed, grants }: Ceiling): boolean {
  return allowed && boundMembers(grants).length === 0;
}

export interface Declared {
  lists: Record<ListName, string[]>;
  secrets: Record<string, SecretBound>;
  /** Whether hosts come from a tenant's settings (`${config.issuer}`): nobody can list them all in advance. */
  fromConfig: boolean;
}

/** `https://api.example.com/v1` → `api.example.com`; what is no address stands for itself. */
function hostOf(text: string): string {
  if (!text.includes('://')) return text;
  try {
    return new URL(text).host;
  } catch {
    return '';
  }
}

/** The hosts of a pattern; one that names a setting stands for what the form proposes there. */
function hostsOf(pattern: string, defaults: Obj): string[] {
  const match = /^\$\{config\.([\w.-]+)\}$/.exec(pattern);
  if (!match) return [pattern];
  const at = match[1]!.split('.').reduce<unknown>((v, key) => (isObject(v) ? v[key] : undefined), defaults);
  return (typeof at === 'string' ? [at] : texts(at)).map(hostOf).filter(Boolean);
}

/** What the plugin asks for by itself, to begin a bound with and to choose from. */
export function declaredOf(plugin: Pick<Plugin, 'manifest' | 'config_schema'>): Declared {
  const m: Obj = isObject(plugin.manifest) ? plugin.manifest : {};
  const proposed = defaultsOf((plugin.config_schema ?? {}) as Schema);
  const defaults: Obj = isObject(proposed) ? proposed : {};
  const all = (name: string): Obj[] => (Array.isArray(m[name]) ? (m[name] as unknown[]).filter(isObject) : []);
  const unique = (items: string[]) => [...new Set(items)];
  const resolved = (patterns: string[]) => unique(patterns.flatMap((p) => hostsOf(p, defaults)));
  const egress = (dial: boolean) => all('egress').filter((e) => (e.kind === 'dial' || e.kind === 'tcp') === dial).flatMap((e) => texts(e.hosts));
  const datasets = unique(all('report').flatMap((r) => texts(r.datasets)));
  const rights: Obj = isObject(m.grants) ? m.grants : {};
  const http = egress(false).length > 0;
  // As the server derives them: the manifest does not name interfaces.
  const asksFor: Record<string, boolean> = {
    http,
    download: http,
    dial: egress(true).length > 0,
    secrets: all('secret').length > 0,
    reveal: all('secret').some((s) => texts(s.use).includes('reveal')),
    kv: isObject(rights.kv),
    blob: rights.blob === true || all('report').length > 0,
    datasets: datasets.length > 0,
  };
  return {
    lists: {
      interfaces: REACHING.filter((i) => asksFor[i]),
      http_hosts: resolved(egress(false)),
      dial_targets: resolved(egress(true)),
      private_hosts: [],
      datasets,
    },
    secrets: Object.fromEntries(all('secret').map((s) => [String(s.name), { uses: texts(s.use), hosts: resolved(texts(s.hosts)) }])),
    fromConfig: [...egress(false), ...egress(true)].some((h) => h.includes('${')),
  };
}
