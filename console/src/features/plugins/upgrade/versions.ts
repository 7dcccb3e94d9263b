/** Which versions an installation can change to, and how they stand to the one in use. */
import type { Installation, Plugin } from '@/api/models';

/** By semantic versioning: a pre-release comes before its release, build metadata says nothing about order. */
export function compareVersions(a: string, b: string): number {
  const read = (text: string) => {
    const [main = '', ...pre] = (text.split('+')[0] ?? '').split('-');
    return { main: main.split('.').map(Number), pre: pre.length > 0 ? pre.join('-').split('.') : null };
  };
  const [x, y] = [read(a), read(b)];
  for (let i = 0; i < 3; i += 1) {
    const step = (x.main[i] ?? 0) - (y.main[i] ?? 0);
    if (step !== 0) return step;
  }
  if (!x.pre || !y.pre) return Number(x.pre === null) - Number(y.pre === null);
  for (let i = 0; i < Math.max(x.pre.length, y.pre.length); i += 1) {
    const [p, q] = [x.pre[i], y.pre[i]];
    if (p === undefined || q === undefined) return p === undefined ? -1 : 1;
    const numbers = [p, q].map((part) => (/^\d+$/.test(part) ? Number(part) : null)) as [number | null, number | null];
    const step = numbers[0] !== null && numbers[1] !== null ? numbers[0] - numbers[1] : numbers[0] !== null ? -1 : numbers[1] !== null ? 1 : p < q ? -1 : p > q ? 1 : 0;
    if (step !== 0) return step;
  }
  return 0;
}

/** The versions of the installation's plugin on this host, newest first. */
export function versionsOf(installation: Pick<Installation, 'plugin_id'>, available: Plugin[]): Plugin[] {
  return available.filter((p) => p.plugin_id === installation.plugin_id).sort((a, b) => compareVersions(b.version, a.version));
}

export type WayOut = { kind: 'back' | 'change'; version: string } | { kind: 'none' };

/** Where an installation can go whose version is out of service: back to the one before, else to the newest sound one. */
export function wayOut(installation: Pick<Installation, 'version' | 'previous_version'>, versions: Plugin[]): WayOut {
  const sound = versions.filter((p) => !p.quarantined && p.version !== installation.version);
  const previous = sound.find((p) => p.version === installation.previous_version);
  if (previous) return { kind: 'back', version: previous.version };
  return sound[0] ? { kind: 'change', version: sound[0].version } : { kind: 'none' };
}
