// The platform and its peers for the browser's tests: started once per run by the Rust harness (tests/src/bin/stage.rs),
// taken down when its standard input closes.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { test as base } from '@playwright/test';

/** Where everything is, as the stage says it. */
export interface Stage {
  /** The operators' host, with a slash at the end. */
  base: string;
  /** The host of the tenant `acme`, with a slash at the end. */
  tenant: string;
  /** The one-time link that makes the first operator. */
  setup_url: string;
  /** The folder of the built plugins. */
  plugins: string;
  /** The product behind the gateway. */
  upstream: string;
  /** stripe-mock. */
  stripe: string;
  oidc: { issuer: string; client_id: string; client_secret: string };
  /** Somebody Keycloak knows. */
  member: { username: string; password: string; email: string };
}

const root = resolve(import.meta.dirname, '../..');

function stageProgram(): string {
  const target = process.env.CARGO_TARGET_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'aistack/target');
  const program = join(target, 'debug/stage');
  if (!existsSync(program)) throw new Error(`${program} is not built; run: cargo build --workspace --bins`);
  return program;
}

export const test = base.extend<object, { stage: Stage }>({
  stage: [
    async ({}, use) => {
      // Clones share a target folder, so the program can't know from its build whose tests these are. Cargo would say it so.
      const env = { ...process.env, CARGO_MANIFEST_DIR: join(root, 'tests') };
      const program = spawn(stageProgram(), { cwd: root, env, stdio: ['pipe', 'pipe', 'inherit'] });
      const ended = new Promise<void>((done) => program.on('exit', () => done()));
      const stage = await new Promise<Stage>((done, fail) => {
        createInterface({ input: program.stdout }).once('line', (line) => done(JSON.parse(line) as Stage));
        program.on('exit', (code) => fail(new Error(`the stage ended with ${code} before it was set`)));
      });
      await use(stage);
      program.stdin.end();
      await ended;
    },
    // Longer than Keycloak may take to start, so that the stage can say itself what went wrong.
    { scope: 'worker', timeout: 420_000 },
  ],
});

export { expect } from '@playwright/test';

/** Signs a webhook with the official Stripe SDK and delivers it as Stripe does. */
export async function deliverWebhook(url: string, event: object, secret: string): Promise<number> {
  const payload = JSON.stringify(event);
  const script = join(root, 'tests/peers/node/stripe-webhook.mjs');
  const signer = spawn('node', [script, 'sign', secret, String(Math.floor(Date.now() / 1000))], { stdio: ['pipe', 'pipe', 'inherit'] });
  signer.stdin.end(payload);
  let signature = '';
  for await (const chunk of signer.stdout) signature += String(chunk);
  // Node does not find names below localhost on every machine; the host is in the header.
  const target = new URL(url);
  const host = target.host;
  target.hostname = '127.0.0.1';
  const { request } = await import('node:http');
  return new Promise((done, fail) => {
    const headers = { host, 'content-type': 'application/json', 'stripe-signature': signature };
    const delivery = request(target, { method: 'POST', headers }, (answer) => {
      answer.resume();
      answer.on('end', () => done(answer.statusCode ?? 0));
    });
    delivery.on('error', fail);
    delivery.end(payload);
  });
}
