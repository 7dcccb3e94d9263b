// What the exports of every world have in common: nothing but faults crosses the border, JSON fields may be given as
// objects, and whole numbers of 64 bits may be given as numbers.

import { Fault } from "../fault.js";

/** A JSON field: text as it is, anything else written as JSON; absent is `{}`. */
export const json = (value = {}) => (typeof value === "string" ? value : JSON.stringify(value));
/** The same for fields that may be absent. */
export const maybeJson = (value) => (value === undefined || value === null ? undefined : json(value));
/** A 64 bit number. */
export function big(value, name = "a number of 64 bits") {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return BigInt(value);
  throw new TypeError(`${name} has to be a whole number and is ${JSON.stringify(value)}`);
}
/** A text that has to be there: the engine would trap without a word. */
export function str(value, name) {
  if (typeof value === "string") return value;
  throw new TypeError(`${name} has to be a text and is ${JSON.stringify(value)}`);
}
/** One of the contract's names. */
export function oneOf(names, value, name) {
  if (names.includes(value)) return value;
  throw new TypeError(`${name} is ${JSON.stringify(value)}; it is one of ${names.join(", ")}`);
}
/** Money with its minor units as a bigint. */
export const money = (value) =>
  value && { minor: big(value.minor, "minor"), currency: str(value.currency, "currency"), exponent: value.exponent };
/** Bytes; text becomes UTF-8. */
export const raw = (value = new Uint8Array()) => (typeof value === "string" ? new TextEncoder().encode(value) : value);

/** `file.js:12 in pay` of the top frames, found through the table that the build put into the bundle. */
export function place(error, lines = globalThis.__aistackLines) {
  const frames = String(error?.stack ?? "")
    .split("\n")
    .map((line) => /^(?:\s*at )?(.*?)@?\(?(?:[^\s@()]*):(\d+):\d+\)?$/.exec(line.trim()))
    .filter((found) => found !== null)
    .map(([, name, line]) => {
      const origin = lines?.[Number(line)];
      return origin && `${origin[0]}:${origin[1]}${name ? ` in ${name.trim().replace(/[/<]+$/, "")}` : ""}`;
    })
    .filter((frame) => frame !== undefined);
  // The SDK's own frames say nothing to the author.
  return frames.filter((frame) => !frame.includes("aistack-sdk/")).slice(0, 4).join(" < ");
}

/** Runs an operation of a plugin; what it throws becomes a fault that says where in the author's source it was. */
export function guard(host, operation, work) {
  try {
    return work();
  } catch (thrown) {
    const fault = Fault.from(thrown);
    if (fault !== undefined) throw fault;
    const where = place(thrown);
    const what = `${thrown?.name ?? "Error"}: ${thrown?.message ?? thrown}${where ? ` (${where})` : ""}`;
    try {
      host.log("error", what, { operation });
    } catch {
      // The log is a comfort; the fault below says the same.
    }
    throw Fault.internal("exception", what);
  }
}

/** Calls a method of the plugin and gives its result the contract's shape, or says that it is not offered. */
export function operations(plugin, host) {
  return (method, what, shape, ...args) =>
    guard(host, method, () => {
      if (typeof plugin[method] !== "function") throw Fault.unsupported(what);
      return shape(plugin[method](host, ...args));
    });
}

const finding = ({ field, ok, message }) => ({ field, ok: ok === true, message: str(message, "a finding's message") });

/** `aistack:core/lifecycle`. */
export function lifecycle(plugin, host) {
  return {
    describe: () => plugin.describe().map(({ name, extra }) => ({ name: str(name, "a feature's name"), extra: json(extra) })),
    check: (c, deep) => {
      try {
        return guard(host, "check", () => (plugin.check?.(host, c, deep) ?? []).map(finding));
      } catch (fault) {
        return [{ field: undefined, ok: false, message: fault.message }];
      }
    },
    migrate: (c, from, config) =>
      guard(host, "migrate", () =>
        typeof plugin.migrate === "function" ? json(plugin.migrate(host, c, from, JSON.parse(config))) : config,
      ),
  };
}

/** The events of a delivery or a job. */
const events = (list = []) =>
  list.map((event) => ({
    id: str(event.id, "an event's id"),
    kind: str(event.kind, "an event's kind"),
    occurredMs: big(event.occurredMs ?? 0, "occurredMs"),
    subject: str(event.subject, "an event's subject"),
    data: json(event.data),
  }));

const outcome = ({ ack, nack, events: list }) => ({ ack, nack, events: events(list) });
const doc = ({ mediaType, body, maxAgeS = 0 }) => ({ mediaType: str(mediaType, "mediaType"), body: raw(body), maxAgeS });
const jobDone = ({ events: list, cursor, more = false }) => ({ events: events(list), cursor, more });

/** `aistack:core/{inbound,documents,jobs}`. */
export function deliveries(plugin, host) {
  const run = operations(plugin, host);
  return {
    inbound: { handle: (...args) => run("inbound", "deliveries", outcome, ...args) },
    documents: { get: (...args) => run("document", "documents", doc, ...args) },
    jobs: { start: (...args) => run("job", "jobs", jobDone, ...args) },
  };
}
