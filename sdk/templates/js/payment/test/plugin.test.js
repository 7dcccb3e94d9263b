import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import test from "node:test";
import { Fault, bytes, request } from "aistack-sdk";
import { FakeHost, context, money } from "aistack-sdk/testing";
import plugin from "../src/plugin.js";

const service = "https://pay.example.test";
const host = () =>
  FakeHost.forPlugin(new URL("..", import.meta.url), { service_url: service })
    .withSecret("service_key", "key-1")
    .withSecret("notify_key", "key-new", "key-2")
    .on("GET", `${service}/health`).replyJson(200, {})
    .on("POST", `${service}/payments`).replyJson(200, { id: "p-1", status: "open", url: `${service}/p-1` });
const order = (amount = money(500, "USD", 2)) => ({
  id: "ord_1", amount, description: "Pro", method: "", payer: "{}", capture: true,
  returnUrl: "https://acme.example.test/back", notifyUrl: "https://acme.example.test/hooks/k/notify",
  idempotencyKey: "ord_1", metadata: [], extra: "{}",
});

test("creates a payment, the same way each time", () => {
  const platform = host();
  const made = plugin.create(platform, context(), order());
  assert.equal(made.providerRef, "p-1");
  assert.equal(made.status, "action-needed");
  assert.deepEqual(made.action, { tag: "redirect", val: `${service}/p-1` });
  platform.advance(90_000);
  plugin.create(platform, context(), order());
  const [first, again] = platform.requests;
  assert.equal(first.headers.get("authorization"), "Bearer key-1");
  assert.equal(first.headers.get("idempotency-key"), "ord_1");
  assert.deepEqual(JSON.parse(first.text).minor, 500);
  assert.deepEqual(first, again);
});

test("refuses bad amounts before anything is sent", () => {
  for (const amount of [money(0, "USD", 2), money(-5, "USD", 2), money(100, "usd", 2), money(100, "", 2), money(1, "XXXX", 2)]) {
    const platform = host();
    assert.throws(() => plugin.create(platform, context(), order(amount)), { kind: "invalid-input" });
    assert.equal(platform.requests.length, 0);
  }
});

test("a lost answer leaves the outcome unknown", () => {
  const platform = host().on("POST", `${service}/payments`).fail(Fault.transport("connection_lost", "it broke"));
  assert.throws(() => plugin.create(platform, context(), order()), { kind: "transport", outcomeUnknown: true });
});

test("looks a payment up", () => {
  const platform = host()
    .on("GET", `${service}/payments/ord_1`).replyJson(200, { id: "p-1", status: "paid", minor: 500, currency: "USD", exponent: 2 })
    .on("GET", `${service}/payments/ord_2`).reply(404);
  assert.deepEqual(plugin.fetch(platform, context(), "ord_1").paid, { minor: 500, currency: "USD", exponent: 2 });
  assert.throws(() => plugin.fetch(platform, context(), "ord_2"), { kind: "not-found" });
});

test("takes genuine deliveries only", () => {
  const body = JSON.stringify({ id: "n-1", order: "ord_1", payment: "p-1", minor: 500, currency: "USD", at_ms: 1 });
  const delivery = (key, sent = body) =>
    request("POST", "/", { headers: { "x-signature": createHmac("sha256", key).update(body).digest("hex") }, body: sent });
  for (const key of ["key-2", "key-new"]) {
    const { ack, events } = plugin.inbound(host(), context(), "notify", delivery(key));
    assert.equal(ack.status, 200);
    assert.equal(events[0].subject, "ord_1");
    assert.deepEqual(events[0].data.paid, { minor: 500, currency: "USD" });
  }
  const unsigned = { ...delivery("key-2"), headers: [] };
  const nonsense = { ...unsigned, headers: [["x-signature", bytes("xyz")]] };
  for (const forged of [delivery("key-3"), delivery("key-2", `${body} `), delivery("key-2", ""), unsigned, nonsense]) {
    assert.throws(() => plugin.inbound(host(), context(), "notify", forged), { kind: "signature-invalid" });
  }
  assert.throws(() => plugin.inbound(host(), context(), "other", delivery("key-2")), { kind: "not-found" });
});
