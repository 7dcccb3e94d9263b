// `aistack:payment/payment-provider`: what the component exports, made from a plugin's methods `describe check migrate
// create resume fetch capture cancel refund fetchRefund agree resumeAgreement changeAgreement fetchAgreement settlement
// inbound document job`.

import { big, deliveries, json, lifecycle, money, oneOf, operations, raw, str } from "./shared.js";

const statuses = [
  "created", "pending", "action-needed", "authorised", "paid", "part-refunded", "refunded", "failed", "cancelled",
  "disputed", "unknown",
];
const actions = ["redirect", "form-post", "qr", "client", "none"];
const states = ["pending", "active", "paused", "ended", "unknown"];

const status = (s) => oneOf(statuses, s, "status");

function action(a = { tag: "none" }) {
  oneOf(actions, a.tag, "an action's tag");
  if (a.tag === "client") return { tag: a.tag, val: json(a.val) };
  if (a.tag === "redirect" || a.tag === "qr") return { tag: a.tag, val: str(a.val, `the value of ${a.tag}`) };
  return a;
}

const payment = (p) => ({
  providerRef: str(p.providerRef, "providerRef"),
  status: status(p.status),
  action: action(p.action),
  paid: money(p.paid),
  fee: money(p.fee),
  occurredMs: big(p.occurredMs, "occurredMs"),
  state: raw(p.state),
  raw: json(p.raw),
});

const refund = (r) => ({ ...r, id: str(r.id, "id"), status: status(r.status), amount: money(r.amount) });

const agreement = (a) => ({
  ...a,
  id: str(a.id, "id"),
  state: oneOf(states, a.state, "state"),
  plan: json(a.plan),
  nextChargeMs: big(a.nextChargeMs, "nextChargeMs"),
  action: action(a.action),
  extra: json(a.extra),
});

const line = (l) => ({
  ...l,
  providerRef: str(l.providerRef, "providerRef"),
  kind: str(l.kind, "kind"),
  gross: money(l.gross),
  fee: money(l.fee),
  net: money(l.net),
  occurredMs: big(l.occurredMs, "occurredMs"),
  extra: json(l.extra),
});

const page = (p) => ({
  lines: (p.lines ?? []).map(line),
  cursor: raw(p.cursor),
  more: p.more ?? false,
  notReady: p.notReady ?? false,
});

/** The exports. */
export function paying(plugin, host) {
  const run = operations(plugin, host);
  return {
    lifecycle: lifecycle(plugin, host),
    ...deliveries(plugin, host),
    payments: {
      create: (...args) => run("create", "payments", payment, ...args),
      resume: (...args) => run("resume", "the browser's return", payment, ...args),
      fetch: (...args) => run("fetch", "looking payments up", payment, ...args),
      capture: (...args) => run("capture", "captures", payment, ...args),
      cancel: (...args) => run("cancel", "cancellation", payment, ...args),
    },
    refunds: {
      create: (...args) => run("refund", "refunds", refund, ...args),
      fetch: (...args) => run("fetchRefund", "looking refunds up", refund, ...args),
    },
    agreements: {
      begin: (...args) => run("agree", "agreements", agreement, ...args),
      resume: (...args) => run("resumeAgreement", "agreements", agreement, ...args),
      change: (c, a, verb, given, key) => run("changeAgreement", "agreements", agreement, c, a, verb, JSON.parse(given), key),
      fetch: (...args) => run("fetchAgreement", "agreements", agreement, ...args),
    },
    settlement: { pull: (...args) => run("settlement", "bills", page, ...args) },
  };
}
