import assert from "node:assert/strict";
import test from "node:test";
import { Fault } from "../fault.js";
import { Host } from "../host.js";
import { table } from "../build/lines.js";
import { identity } from "../worlds/identity.js";
import { paying } from "../worlds/payment.js";
import { report } from "../worlds/report.js";
import { guard, place } from "../worlds/shared.js";

const logs = [];
const host = new Host({ log: { emit: (...line) => logs.push(line) } });

test("operations that a plugin does not have are unsupported", () => {
  const made = identity({ describe: () => [{ name: "login" }] }, host);
  assert.deepEqual(made.lifecycle.describe(), [{ name: "login", extra: "{}" }]);
  for (const call of [() => made.login.begin({}, {}), () => made.directory.find({}, {}), () => made.jobs.start({}, "x")]) {
    assert.throws(call, { kind: "unsupported", code: "unsupported" });
  }
  assert.equal(made.lifecycle.migrate({}, "0.1.0", '{"a":1}'), '{"a":1}');
});

test("results get the contract's shape", () => {
  const made = paying(
    {
      describe: () => [],
      create: () => ({ providerRef: "p", status: "paid", paid: { minor: 5, currency: "USD", exponent: 2 }, occurredMs: 7, raw: { a: 1 } }),
      inbound: () => ({ ack: 1, nack: 2, events: [{ id: "e", kind: "k", subject: "s", data: {} }] }),
    },
    host,
  );
  const payment = made.payments.create({}, {});
  assert.equal(payment.paid.minor, 5n);
  assert.equal(payment.occurredMs, 7n);
  assert.equal(payment.raw, '{"a":1}');
  assert.deepEqual(payment.action, { tag: "none" });
  assert.equal(payment.state.length, 0);
  assert.equal(made.inbound.handle({}, "e", {}).events[0].occurredMs, 0n);
});

test("a result of the wrong shape says which member is wrong", () => {
  const wrong = (result, message) =>
    assert.throws(() => paying({ create: () => result }, host).payments.create({}, {}), { kind: "internal", message });
  wrong({ status: "paid" }, /providerRef has to be a text/);
  wrong({ providerRef: "p", status: "payed" }, /status is "payed"; it is one of created/);
  wrong({ providerRef: "p", status: "paid", paid: { minor: 1.5, currency: "USD", exponent: 2 } }, /minor has to be a whole number/);
  wrong(undefined, /TypeError/);
});

test("an exception becomes a fault and a line of the log that name it", () => {
  logs.length = 0;
  const made = report({ run: () => undefined.x }, host);
  assert.throws(() => made.generator.run({}, "r", "{}", "txt"), (fault) =>
    fault instanceof Fault && fault.kind === "internal" && fault.code === "exception" && /^TypeError: /.test(fault.message));
  assert.equal(logs[0][0], "error");
  assert.deepEqual(logs[0][2], [["operation", "run"]]);
});

test("check reports an exception as a finding", () => {
  const made = report({ check: () => null.x }, host);
  const [finding] = made.lifecycle.check({}, false);
  assert.equal(finding.ok, false);
  assert.match(finding.message, /TypeError/);
});

test("what the host throws keeps its kind", () => {
  const thrown = { payload: { kind: "rate-limited", code: "slow", message: "later", retryAfterMs: 5, outcomeUnknown: false } };
  assert.throws(() => guard(host, "x", () => { throw thrown; }), { kind: "rate-limited", code: "slow", retryAfterMs: 5 });
});

test("an interface that is not declared is refused by name", () => {
  assert.throws(() => host.kvGet("k"), { kind: "denied", code: "interface_not_declared" });
});

test("places come from the table of lines", () => {
  const lines = [null, ["src/plugin.js", 40], ["src/plugin.js", 41], ["aistack-sdk/host.js", 9]];
  const error = { stack: "pay@plugin.js:2:5\nsend@plugin.js:3:1\ncreate@plugin.js:1:9\n" };
  assert.equal(place(error, lines), "src/plugin.js:41 in pay < src/plugin.js:40 in create");
});

test("the table decodes a source map", () => {
  // Two sources: line 1 of the bundle from b.js line 5, line 3 from a.js line 1.
  const map = { sources: ["a.js", "b.js"], mappings: "ACIA;;ADJA" };
  assert.deepEqual(table(map, (name) => name), [null, ["b.js", 5], null, ["a.js", 1]]);
});
