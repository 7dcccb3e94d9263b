// Fails when the console grows past its budget: what a first visit loads, and everything together, compressed as the server sends it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url).pathname;
const BUDGET = { initial: 300_000, all: 2_500_000 };

const compressed = (file) => brotliCompressSync(readFileSync(file), { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).length;

const html = readFileSync(join(dist, 'index.html'), 'utf8');
const named = [...html.matchAll(/(?:src|href)="\/console\/([^"]+\.(?:js|css))"/g)].map((m) => m[1]);
if (named.length === 0) throw new Error('dist/index.html names no scripts; build first');
const seen = new Set();
const walk = (file) => {
  if (seen.has(file)) return;
  seen.add(file);
  if (!file.endsWith('.js')) return;
  // Static imports are loaded with the page; dynamic ones only when they are needed.
  const source = readFileSync(join(dist, file), 'utf8');
  for (const [, name] of source.matchAll(/(?:^|[;}\s])(?:import|export)(?:[^;'"()]*?from)?\s*["']\.\/([^"']+)["']/g)) walk(`assets/${name}`);
};
named.forEach(walk);

const initial = [...seen].reduce((sum, file) => sum + compressed(join(dist, file)), 0);
const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
const all = files.reduce((sum, e) => sum + compressed(join(e.parentPath ?? e.path, e.name)), 0);
const kb = (n) => `${(n / 1000).toFixed(0)} kB`;
console.log(`initial ${kb(initial)} of ${kb(BUDGET.initial)} (${seen.size} files), all ${kb(all)} of ${kb(BUDGET.all)} (${files.length} files)`);
if (initial > BUDGET.initial || all > BUDGET.all) {
  console.error('over budget');
  process.exit(1);
}
