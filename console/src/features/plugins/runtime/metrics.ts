/** The few figures of `/metrics` that the health page shows, read from the OpenMetrics text. */

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export function parseMetrics(text: string): Sample[] {
  const out: Sample[] = [];
  for (const line of text.split('\n')) {
    const match = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match) continue;
    const [, name = '', inside = '', number = ''] = match;
    const value = Number(number);
    if (!Number.isFinite(value)) continue;
    const labels: Record<string, string> = {};
    for (const [, label = '', raw = ''] of inside.matchAll(/([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g)) labels[label] = raw.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
    out.push({ name, labels, value });
  }
  return out;
}

export interface OpenBreaker {
  tenant: string;
  plugin: string;
  operation: string;
  /** One call is trying; otherwise nothing is called. */
  probing: boolean;
}

export interface RuntimeFigures {
  instances: number | null;
  capacity: number | null;
  components: number | null;
  breakers: OpenBreaker[];
}

/** The worst first: nothing is called, then what is being tried. */
export function runtimeFigures(samples: Sample[]): RuntimeFigures {
  const one = (name: string) => samples.find((s) => s.name === `aistack_${name}`)?.value ?? null;
  const breakers = samples
    .filter((s) => s.name === 'aistack_plugin_breaker_state' && s.value > 0)
    .map((s) => ({ tenant: s.labels.tenant ?? '', plugin: s.labels.plugin ?? '', operation: s.labels.operation ?? '', probing: s.value < 2 }))
    .sort((a, b) => Number(a.probing) - Number(b.probing) || a.tenant.localeCompare(b.tenant) || a.plugin.localeCompare(b.plugin));
  return { instances: one('plugin_instances'), capacity: one('plugin_instances_most'), components: one('plugin_components'), breakers };
}

export async function loadFigures(): Promise<RuntimeFigures> {
  const answer = await fetch('/metrics', { credentials: 'same-origin', cache: 'no-store' });
  // Whoever runs this host may have closed the address to browsers; the rest of the page does not need it.
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return runtimeFigures(parseMetrics(await answer.text()));
}
