// Fails when src/api/schema.d.ts is not what the committed OpenAPI document generates.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'aistack-api-'));
const fresh = join(folder, 'schema.d.ts');
const here = new URL('..', import.meta.url).pathname;
try {
  const run = spawnSync('npx', ['--no-install', 'openapi-typescript', '../docs/openapi.json', '-o', fresh], { cwd: here, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr || run.stdout);
  if (readFileSync(fresh, 'utf8') !== readFileSync(join(here, 'src/api/schema.d.ts'), 'utf8')) {
    console.error('src/api/schema.d.ts differs from docs/openapi.json: run `npm run api` and commit the result');
    process.exitCode = 1;
  } else console.log('src/api/schema.d.ts matches docs/openapi.json');
} finally {
  rmSync(folder, { recursive: true });
}
