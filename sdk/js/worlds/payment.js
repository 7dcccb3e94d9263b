// `aistack:payment/payment-provider`: what the component exports, made from a plugin's methods `describe check migrate
// create resume fetch capture cancel refund fetchRefund agree resumeAgreement changeAgreement fetchAgreement settlement
// inbound document job`.

import { big, deliveries, json, lifecycle, money, operations, raw } from "./shared.js";

const action = (a = { tag: "none" }) => (a.tag === "client" ? { tag: "client", val: json(a.val) } : a);

const payment = (p) => ({
  providerRef: p.providerRef,
  status: p.status,
  action: action(p.action),
  paid: money(p.paid),
  fee: money(p.fee),
  occurredMs: big(p.occurredMs),
  state: raw(p.state),
  raw: json(p.raw),
});

const refund = (r) => ({ ...r, amount: money(r.amount) });

const agreement = (a) => ({
  ...a,
  plan: json(a.plan),
  nextChargeMs: big(a.nextChargeMs),
  action: action(a.action),
  extra: json(a.extra),
});

const line = (l) => ({
  ...l,
  gross: money(l.gross),
  fee: money(l.fee),
  net: money(l.net),
  occurredMs: big(l.occurredMs),
  extra: json(l.extra),
});

/** The exports. */
export function paying(plugin, host) {
  const run = operations(plugin, host);
  return {
    lifecycle: lifecycle(plugin, host),
    ...deliveries(plugin, host),
    payments: {
      create: (c, order) => payment(run("create", "payments", c, order)),
      resume: (c, p, back) => payment(run("resume", "the browser's return", c, p, back)),
      fetch: (c, orderId, providerRef) => payment(run("fetch", "looking payments up", c, orderId, providerRef)),
      capture: (c, p, amount, key) => payment(run("capture", "captures", c, p, amount, key)),
      cancel: (c, p, key) => payment(run("cancel", "cancellation", c, p, key)),
    },
    refunds: {
      create: (c, p, r) => refund(run("refund", "refunds", c, p, r)),
      fetch: (c, p, id) => refund(run("fetchRefund", "looking refunds up", c, p, id)),
    },
    agreements: {
      begin: (c, a, returnUrl, notifyUrl, key) => agreement(run("agree", "agreements", c, a, returnUrl, notifyUrl, key)),
      resume: (c, a, back) => agreement(run("resumeAgreement", "agreements", c, a, back)),
      change: (c, a, verb, args, key) => agreement(run("changeAgreement", "agreements", c, a, verb, JSON.parse(args), key)),
      fetch: (c, a) => agreement(run("fetchAgreement", "agreements", c, a)),
    },
    settlement: {
      pull: (c, kind, date, cursor) => {
        const page = run("settlement", "bills", c, kind, date, cursor);
        return {
          lines: (page.lines ?? []).map(line),
          cursor: raw(page.cursor),
          more: page.more ?? false,
          notReady: page.notReady ?? false,
        };
      },
    },
  };
}
