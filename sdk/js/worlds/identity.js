// `aistack:identity/identity-provider`: what the component exports, made from a plugin's methods
// `describe check migrate begin resume unsolicited renew logout sync find inbound document job`.

import { big, deliveries, json, lifecycle, maybeJson, oneOf, operations, raw, str } from "./shared.js";

const pairs = (list = []) => list.map(({ key, value }) => ({ key: str(key, "key"), value: str(value, "value") }));

const user = (u) => ({
  subject: str(u.subject, "a user's subject"),
  alternateIds: pairs(u.alternateIds),
  username: u.username,
  email: u.email,
  emailVerified: u.emailVerified === true,
  phone: u.phone,
  displayName: u.displayName,
  avatar: u.avatar,
  groups: u.groups ?? [],
  attributes: json(u.attributes),
});
const maybeUser = (u) => (u === undefined || u === null ? undefined : user(u));

const session = (s) => ({
  user: user(s.user),
  providerSession: s.providerSession,
  expiresMs: big(s.expiresMs, "expiresMs"),
  acr: s.acr,
  amr: s.amr ?? [],
  tokens: maybeJson(s.tokens),
});

const tags = ["redirect", "form-post", "prompt", "qr", "embed", "wait", "done"];

function step(s) {
  switch (oneOf(tags, s?.tag, "a step's tag")) {
    case "done":
      return { tag: s.tag, val: session(s.val) };
    case "redirect":
      return { tag: s.tag, val: str(s.val, "the address of a redirect") };
    case "embed":
    case "wait":
      return { tag: s.tag, val: [json(s.val[0]), s.val[1]] };
    default:
      return s;
  }
}
const maybeStep = (s) => (s === undefined || s === null ? undefined : step(s));

const progress = (p) => ({ step: step(p.step), state: raw(p.state), expiresS: p.expiresS ?? 0 });

function change(c) {
  if (c.tag === "user") return { tag: "user", val: [user(c.val[0]), c.val[1]] };
  if (c.tag === "group") return { tag: "group", val: { ...c.val, extra: json(c.val.extra) } };
  return c;
}

const page = (p) => ({
  changes: (p.changes ?? []).map(change),
  cursor: raw(p.cursor),
  more: p.more ?? false,
  fullSnapshotEnd: p.fullSnapshotEnd ?? false,
});

/** The exports. */
export function identity(plugin, host) {
  const run = operations(plugin, host);
  return {
    lifecycle: lifecycle(plugin, host),
    ...deliveries(plugin, host),
    login: {
      begin: (...args) => run("begin", "sign-in", progress, ...args),
      resume: (...args) => run("resume", "sign-in", progress, ...args),
      unsolicited: (...args) => run("unsolicited", "sign-ins that the provider starts", session, ...args),
      renew: (c, tokens) => run("renew", "renewal", session, c, JSON.parse(tokens)),
      logout: (...args) => run("logout", "logout", maybeStep, ...args),
    },
    directory: {
      sync: (...args) => run("sync", "a directory", page, ...args),
      find: (...args) => run("find", "a directory", maybeUser, ...args),
    },
  };
}
