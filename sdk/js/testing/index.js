// The platform's double for `node --test`: it grants what the plugin's own manifest declares and refuses the rest as
// the platform does, answers HTTP from a script, and has clock and randomness under the test's control.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Host } from "../host.js";
import { tools } from "../build/tools.js";
import { interfaces } from "./interfaces.js";
import { Network } from "./network.js";

// The manifest is TOML, and the toolchain has a reader of it.
const { toml } = await tools();

/** A context as the platform makes it. */
export const context = (more = {}) => ({
  tenant: "ten_1",
  installation: "ins_1",
  callId: "call_1",
  trace: "req_1",
  locale: "en",
  timeZone: "UTC",
  live: false,
  attempt: 1,
  budgetMs: 10_000,
  baseUrl: "https://acme.example.test",
  extra: "{}",
  ...more,
});

/** Money in minor units. */
export const money = (minor, currency, exponent) => ({ minor: BigInt(minor), currency, exponent });

/** A platform for one plugin; see the members below for what a test may set and see. */
export class FakeHost extends Host {
  #state;

  constructor(state) {
    super(interfaces(state));
    this.#state = state;
  }

  /** For the plugin whose folder is `root` (a path or a file URL), with a configuration. */
  static forPlugin(root, config = {}) {
    const folder = root instanceof URL || String(root).startsWith("file:") ? fileURLToPath(root) : root;
    const manifest = toml.parse(readFileSync(join(folder, "aistack-plugin.toml"), "utf8"));
    const state = {
      manifest,
      config,
      secrets: new Map(),
      kv: new Map(),
      datasets: new Map(),
      files: new Map(),
      logs: [],
      progress: [],
      cancelAt: undefined,
      now: Date.UTC(2026, 0, 1),
      random: 0,
    };
    state.network = new Network(state);
    return new FakeHost(state);
  }

  /** Gives a declared secret its values, newest first. */
  withSecret(name, ...values) {
    if (!(this.#state.manifest.secret ?? []).some((s) => s.name === name)) {
      throw new Error(`aistack-plugin.toml declares no secret ${name}`);
    }
    this.#state.secrets.set(name, values);
    return this;
  }

  /** Scripts an answer: `on("GET", url).reply(200, body)`, `.replyJson(200, value)` or `.fail(fault)`. */
  on(method, url) {
    const add = (answer) => {
      this.#state.network.script.unshift({ method, url, answer });
      return this;
    };
    const encode = (body) => (typeof body === "string" ? new TextEncoder().encode(body) : body);
    return {
      reply: (status, body = "", headers = []) => add(() => ({ status, headers, body: encode(body) })),
      replyJson: (status, value) => add(() => ({ status, headers: [], body: encode(JSON.stringify(value)) })),
      replyWith: (make) => add(make),
      fail: (fault) => add(() => { throw fault; }),
    };
  }

  /** Gives a declared dataset its columns (`{ name, kind }`) and rows (of cells `{ tag, val }`). */
  withDataset(name, columns, rows) {
    this.#state.datasets.set(name, { columns, rows });
    return this;
  }

  /** From this percentage on the run counts as cancelled. */
  cancelAt(percent) {
    this.#state.cancelAt = percent;
    return this;
  }

  /** Moves the clock. */
  advance(ms) {
    this.#state.now += ms;
    return this;
  }

  /** What was sent, with the credential put in: `{ method, url, headers: Map, body, text }`. */
  get requests() {
    return this.#state.network.sent;
  }
  /** `{ level, message, fields }`. */
  get logs() {
    return this.#state.logs;
  }
  /** Finished files by name, as text. */
  get files() {
    return Object.fromEntries(this.#state.files);
  }
  /** Reported percentages. */
  get reported() {
    return this.#state.progress;
  }
}
