// Signs and checks webhook payloads with the official Stripe SDK.
//
//   node stripe-webhook.mjs sign SECRET UNIX_SECONDS   < payload   → the Stripe-Signature header on standard output
//   node stripe-webhook.mjs verify SECRET HEADER       < payload   → {"ok": true, "type": ...} or {"ok": false, "error": ...}
import Stripe from 'stripe';

const [command, secret, argument] = process.argv.slice(2);
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const payload = Buffer.concat(chunks).toString('utf8');
// No request is made, so the key is never used.
const { webhooks } = new Stripe('sk_test_unused');

if (command === 'sign') {
  process.stdout.write(webhooks.generateTestHeaderString({ payload, secret, timestamp: Number(argument) }));
} else if (command === 'verify') {
  try {
    const event = webhooks.constructEvent(payload, argument, secret);
    process.stdout.write(JSON.stringify({ ok: true, type: event.type }));
  } catch (error) {
    process.stdout.write(JSON.stringify({ ok: false, error: error.message }));
  }
} else {
  process.stderr.write(`unknown command: ${command}\n`);
  process.exit(64);
}
