// What the exports of every world have in common: nothing but faults crosses the border, JSON fields may be given as
// objects, and whole numbers of 64 bits may be given as numbers.

import { Fault } from "../fault.js";

/** A JSON field: text as it is, anything else written as JSON; absent is `{}`. */
export const json = (value = {}) => (typeof value === "string" ? value : JSON.stringify(value));
/** The same for fields that may be absent. */
export const maybeJson = (value) => (value === undefined || value === null ? undefined : json(value));
/** A 64 bit number. */
export const big = (value) => (typeof value === "number" ? BigInt(value) : value);
/** Money with its minor units as a bigint. */
export const money = (value) => value && { ...value, minor: big(value.minor) };
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

/** Calls a method of the plugin, or says that it is not offered. */
export function operations(plugin, host) {
  return (method, what, ...args) =>
    guard(host, method, () => {
      if (typeof plugin[method] !== "function") throw Fault.unsupported(what);
      return plugin[method](host, ...args);
    });
}

/** `aistack:core/lifecycle`. */
export function lifecycle(plugin, host) {
  return {
    describe: () => plugin.describe().map(({ name, extra }) => ({ name, extra: json(extra) })),
    check: (c, deep) => {
      try {
        return guard(host, "check", () => plugin.check?.(host, c, deep) ?? []);
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
  list.map((event) => ({ ...event, occurredMs: big(event.occurredMs ?? 0), data: json(event.data) }));

/** `aistack:core/{inbound,documents,jobs}`. */
export function deliveries(plugin, host) {
  const run = operations(plugin, host);
  return {
    inbound: {
      handle: (c, endpoint, request) => {
        const outcome = run("inbound", "deliveries", c, endpoint, request);
        return { ack: outcome.ack, nack: outcome.nack, events: events(outcome.events) };
      },
    },
    documents: {
      get: (c, name) => {
        const doc = run("document", "documents", c, name);
        return { mediaType: doc.mediaType, body: raw(doc.body), maxAgeS: doc.maxAgeS ?? 0 };
      },
    },
    jobs: {
      start: (c, name, cursor) => {
        const done = run("job", "jobs", c, name, cursor);
        return { events: events(done.events), cursor: done.cursor, more: done.more ?? false };
      },
    },
  };
}
