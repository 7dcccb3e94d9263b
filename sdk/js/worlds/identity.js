// `aistack:identity/identity-provider`: what the component exports, made from a plugin's methods
// `describe check migrate begin resume unsolicited renew logout sync find inbound document job`.

import { Fault } from "../fault.js";
import { big, deliveries, guard, json, lifecycle, maybeJson, operations, raw } from "./shared.js";

const pairs = (list = []) => list.map(({ key, value }) => ({ key, value }));

const user = (u) => ({
  ...u,
  alternateIds: pairs(u.alternateIds),
  emailVerified: u.emailVerified ?? false,
  groups: u.groups ?? [],
  attributes: json(u.attributes),
});

const session = (s) => ({
  ...s,
  user: user(s.user),
  expiresMs: big(s.expiresMs),
  amr: s.amr ?? [],
  tokens: maybeJson(s.tokens),
});

const step = (s) => {
  switch (s.tag) {
    case "done":
      return { tag: s.tag, val: session(s.val) };
    case "embed":
    case "wait":
      return { tag: s.tag, val: [json(s.val[0]), s.val[1]] };
    default:
      return s;
  }
};

const progress = (p) => ({ step: step(p.step), state: raw(p.state), expiresS: p.expiresS ?? 0 });

const change = (c) => (c.tag === "user" ? { tag: "user", val: [user(c.val[0]), c.val[1]] }
  : c.tag === "group" ? { tag: "group", val: { ...c.val, extra: json(c.val.extra) } } : c);

/** The exports. */
export function identity(plugin, host) {
  const run = operations(plugin, host);
  return {
    lifecycle: lifecycle(plugin, host),
    ...deliveries(plugin, host),
    login: {
      begin: (c, start) => progress(run("begin", "sign-in", c, start)),
      resume: (c, state, input) => progress(run("resume", "sign-in", c, state, input)),
      unsolicited: (c, input) => session(run("unsolicited", "sign-ins that the provider starts", c, input)),
      renew: (c, tokens) => session(run("renew", "renewal", c, JSON.parse(tokens))),
      logout: (c, s, returnUrl) =>
        guard(host, "logout", () => {
          if (typeof plugin.logout !== "function") throw Fault.unsupported("logout");
          const next = plugin.logout(host, c, s, returnUrl);
          return next && step(next);
        }),
    },
    directory: {
      sync: (c, full, cursor, limit) => {
        const page = run("sync", "a directory", c, full, cursor, limit);
        return {
          changes: (page.changes ?? []).map(change),
          cursor: raw(page.cursor),
          more: page.more ?? false,
          fullSnapshotEnd: page.fullSnapshotEnd ?? false,
        };
      },
      find: (c, by) => {
        const found = run("find", "a directory", c, by);
        return found && user(found);
      },
    },
  };
}
