/** What a change asks for beyond what was granted, in words that somebody who has to agree to it can weigh. */
import { translate, translateValue } from '@/i18n';
import { formatBytes, formatMicros, formatNumber } from '@/shared/format';

/** By kind, as the server lists it: `{"http_hosts": ["https://api.example.com:443"]}`. */
export type Added = Record<string, string[]>;

export interface AddedLine {
  /** A sentence of what it could then do. */
  text: string;
  /** Gives away more than a right to do something: a secret itself. */
  grave: boolean;
}

export interface AddedGroup {
  kind: string;
  title: string;
  lines: AddedLine[];
}

/** The order of reading: who it talks to and what it gets to see before how long it may take. */
const ORDER = ['http_hosts', 'dial_targets', 'secrets', 'datasets', 'interfaces', 'endpoints', 'jobs', 'kv', 'limits'];

/** The list in an answer, without anything that is not a list of texts. */
export function readAdded(value: unknown): Added {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const texts = (v: unknown) => (Array.isArray(v) ? v.filter((x): x is string => typeof x === 'string') : []);
  return Object.fromEntries(Object.entries(value).map(([kind, items]) => [kind, texts(items)] as const).filter(([, items]) => items.length > 0));
}

export function describeAdded(added: Added): AddedGroup[] {
  const rank = (kind: string) => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
  return Object.entries(added)
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
    .map(([kind, items]) => ({ kind, title: translateValue('added', kind), lines: items.map((item) => describe(kind, item)) }));
}

/** One right in words. */
export function describe(kind: string, item: string): AddedLine {
  const plain = (text: string): AddedLine => ({ text, grave: false });
  switch (kind) {
    case 'http_hosts':
      return plain(translate('added.http_host', { host: item }));
    case 'dial_targets':
      return plain(translate('added.dial_target', { host: item }));
    case 'datasets':
      return plain(translate('added.dataset', { name: item }));
    case 'endpoints':
      return plain(translate('added.endpoint', { name: item }));
    case 'jobs':
      return plain(translate('added.job', { name: item }));
    case 'interfaces':
      return { text: withCode(translateValue('interface', item), item), grave: item === 'reveal' };
    case 'secrets':
      return secret(item);
    case 'kv':
    case 'limits':
      return plain(growth(kind, item));
    default:
      return plain(item);
  }
}

/** The words with the name they stand for; a name without words stands for itself. */
function withCode(words: string, name: string): string {
  return words === name ? name : `${words} (${name})`;
}

/** `api_key: http:bearer` is a use, `api_key: to https://api.example.com:443` a host it may be sent to. */
function secret(item: string): AddedLine {
  const cut = item.indexOf(': ');
  if (cut < 0) return { text: translate('added.secret', { name: item }), grave: false };
  const name = item.slice(0, cut);
  const rest = item.slice(cut + 2);
  if (rest.startsWith('to ')) return { text: translate('added.secret_host', { name, host: rest.slice(3) }), grave: false };
  // `http:bearer` and `mac:HS256` are told apart by their first half only.
  const family = rest.split(':')[0] ?? rest;
  const words = translateValue('secret_use', family);
  return { text: translate('added.secret_use', { name, use: withCode(words === family ? rest : words, rest) }), grave: family === 'reveal' };
}

/** `run cpu ms 20000 → 60000` as a sentence with units. */
function growth(kind: string, item: string): string {
  const match = /^(.*) (\d+) → (\d+)$/.exec(item);
  if (!match) return item;
  const [, what = '', before = '0', after = '0'] = match;
  const words = translateValue('growth', `${kind} ${what}`.replaceAll(' ', '_'));
  if (words === `${kind} ${what}`.replaceAll(' ', '_')) return item;
  const figure = (text: string) => (what.endsWith('ms') ? formatMicros(Number(text) * 1000) : what.endsWith('bytes') ? formatBytes(Number(text)) : formatNumber(Number(text)));
  return translate('added.growth', { what: words, before: figure(before), after: figure(after) });
}
