/** Which plugins that must be there are missing, as the readiness check says it. */

export interface Missing {
  /** As it stands in the configuration: an id, perhaps with a version. */
  plugin: string;
  /** `null` for what this console does not know: then the server's own words are shown. */
  problem: 'not_installed' | 'not_loaded' | null;
  text: string;
}

export interface Readiness {
  ready: boolean;
  checks: { name: string; ok: boolean; detail: string }[];
}

/** The check's detail holds one sentence per plugin. A semicolon also stands inside a sentence, so cuts are made before a name only. */
export function missingPlugins(readiness: Readiness): Missing[] {
  const check = readiness.checks.find((c) => c.name === 'plugins');
  if (!check || check.ok) return [];
  return check.detail.split(/; (?=\S+(?: is (?:not )?installed|: "))/).map((text) => {
    const match = /^(\S+) is (not )?installed/.exec(text);
    return { plugin: match?.[1] ?? '', problem: match ? (match[2] ? 'not_installed' : 'not_loaded') : null, text };
  });
}

export async function loadReadiness(): Promise<Readiness> {
  // What is not ready answers 503 with the same body.
  const answer = await fetch('/readyz', { credentials: 'same-origin', cache: 'no-store' });
  const body = (await answer.json()) as Readiness;
  if (!Array.isArray(body.checks)) throw new Error(`HTTP ${answer.status}`);
  return body;
}
