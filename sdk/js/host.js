// The platform as a plugin sees it: one object over the interfaces that were granted. The build hands in what the
// component imports; tests hand in `FakeHost` of `aistack-sdk/testing`.

import { Fault } from "./fault.js";

const credentials = new Set(["bearer", "basic", "header", "query", "form", "client-cert"]);

/** A way to authenticate a request with a secret; see `Host.send`. */
export const credential = {
  none: { tag: "none" },
  bearer: (secret) => ({ tag: "bearer", val: secret }),
  basic: (user, secret) => ({ tag: "basic", val: [user, secret] }),
  header: (name, secret) => ({ tag: "header", val: [name, secret] }),
  query: (name, secret) => ({ tag: "query", val: [name, secret] }),
  form: (name, secret) => ({ tag: "form", val: [name, secret] }),
  clientCert: (secret) => ({ tag: "client-cert", val: secret }),
};

/** Everything the platform does for a plugin. Each function throws a `Fault` when the platform refuses. */
export class Host {
  #with;

  /** `imports`: the interfaces by their short names (`config`, `http`, …), as modules or as objects with functions. */
  constructor(imports) {
    this.#with = imports;
  }

  /** Calls a function of an interface and turns what it throws into a Fault. */
  #call(name, work) {
    const found = this.#with[name];
    if (found === undefined) {
      throw Fault.denied("interface_not_declared", `aistack-plugin.toml declares nothing that brings ${name}`);
    }
    try {
      return work(found);
    } catch (thrown) {
      throw Fault.from(thrown) ?? thrown;
    }
  }

  /** The installation's configuration, valid by the plugin's schema. */
  config() {
    return JSON.parse(this.#call("config", (i) => i.get()));
  }

  /** Writes a line to the call's log: `trace`, `debug`, `info`, `warn` or `error`, with fields as text. */
  log(level, message, fields = {}) {
    const pairs = Object.entries(fields).map(([name, value]) => [name, String(value)]);
    this.#call("log", (i) => i.emit(level, message, pairs));
  }
  info(message, fields) {
    this.log("info", message, fields);
  }
  warn(message, fields) {
    this.log("warn", message, fields);
  }

  /** Unix milliseconds, as a number. */
  nowMs() {
    return Number(this.#call("clock", (i) => i.nowMs()));
  }
  /** Nanoseconds since a fixed point, as a bigint. */
  monotonicNs() {
    return this.#call("clock", (i) => i.monotonicNs());
  }
  /** Unpredictable bytes. */
  random(count) {
    return this.#call("random", (i) => i.bytes(count));
  }

  /** `{ value, version }` or undefined. */
  kvGet(key) {
    return this.#call("kv", (i) => i.get(key));
  }
  /** Writes and returns the new version (bigint). `ifVersion: 0n` writes only when the key is absent. */
  kvPut(key, value, { ttlS, ifVersion } = {}) {
    return this.#call("kv", (i) => i.put(key, value, ttlS, ifVersion));
  }
  kvRemove(key) {
    this.#call("kv", (i) => i.remove(key));
  }

  /** A handle of the newest version of a secret. The bytes stay with the host. */
  secret(name) {
    return this.#call("secrets", (i) => i.open(name, undefined));
  }
  /** Handles of all versions, newest first: verify with each, sign with the first. */
  secretVersions(name) {
    return this.#call("secrets", (i) => i.versions(name).map((version) => i.open(name, version)));
  }
  /** The bytes of a secret: a grant of its own, for identity plugins only. Avoid it. */
  reveal(secret) {
    return this.#call("reveal", (i) => i.expose(secret));
  }

  digest(alg, data) {
    return this.#call("crypto", (i) => i.digest(alg, data));
  }
  mac(alg, secret, data) {
    return this.#call("crypto", (i) => i.mac(alg, secret, data));
  }
  /** Compares in constant time. */
  macVerify(alg, secret, data, tag) {
    return this.#call("crypto", (i) => i.macVerify(alg, secret, data, tag));
  }
  sign(alg, secret, data) {
    return this.#call("crypto", (i) => i.sign(alg, secret, data));
  }
  verify(alg, publicKey, data, signature) {
    return this.#call("crypto", (i) => i.verify(alg, publicKey, data, signature));
  }
  openAead(alg, secret, nonce, aad, ciphertext) {
    return this.#call("crypto", (i) => i.openAead(alg, secret, nonce, aad, ciphertext));
  }
  sealAead(alg, secret, nonce, aad, plaintext) {
    return this.#call("crypto", (i) => i.sealAead(alg, secret, nonce, aad, plaintext));
  }
  decrypt(alg, secret, ciphertext) {
    return this.#call("crypto", (i) => i.decrypt(alg, secret, ciphertext));
  }
  encrypt(alg, secret, plaintext) {
    return this.#call("crypto", (i) => i.encrypt(alg, secret, plaintext));
  }
  encryptTo(alg, publicKey, plaintext) {
    return this.#call("crypto", (i) => i.encryptTo(alg, publicKey, plaintext));
  }
  certificate(derOrPem) {
    return this.#call("crypto", (i) => i.certificate(derOrPem));
  }

  /**
   * Sends a request to a granted host and waits for the whole answer. Any status is an answer, not a fault.
   * Options: `timeoutMs`, `maxBytes`, `redirects`, `idempotent` (may be sent twice), `ca` (PEM).
   */
  send(request, cred = credential.none, options = {}) {
    if (cred.tag !== "none" && !credentials.has(cred.tag)) throw new TypeError(`${cred.tag} is no credential`);
    const { timeoutMs = 0, maxBytes = 0, redirects = 0, idempotent = false, ca } = options;
    return this.#call("http", (i) => i.send(request, cred, { timeoutMs, maxBytes, redirects, idempotent, ca }));
  }
  /** Payment plugins: downloads a file that is too large for `send`; needs `imports: ["download"]` in build.mjs. */
  download(request, cred, { unpack = "none", charset, maxBytes }) {
    return this.#call("download", (i) => i.fetch(request, cred, unpack, charset, BigInt(maxBytes)));
  }
  /** Identity plugins: a byte stream to a granted endpoint. */
  dial(endpoint, clientCert) {
    return this.#call("dial", (i) => i.connect({ timeoutMs: 0, ...endpoint }, clientCert));
  }

  /** Starts a file of the run: `write(bytes)`, then `finish()` for its listed name. */
  createFile(name, mediaType) {
    const sink = this.#call("blob", (i) => i.create(name, mediaType));
    return {
      write: (raw) => this.#call("blob", () => sink.write(raw)),
      finish: () => this.#call("blob", () => sink.finish()),
    };
  }
  /** Opens a granted dataset: `columns()`, `next(max)` for the next rows, empty at the end. */
  openDataset(name, filter, asOfMs) {
    const rows = this.#call("datasets", (i) => i.open(name, JSON.stringify(filter), BigInt(asOfMs)));
    return {
      columns: () => this.#call("datasets", () => rows.columns()),
      next: (max) => this.#call("datasets", () => rows.next(max)),
    };
  }
  /** Reports progress, 0 to 100. False: the run was cancelled, stop now. */
  progress(percent) {
    return this.#call("datasets", (i) => i.progress(percent));
  }
}
