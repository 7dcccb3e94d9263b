// The interfaces of the double, each with the shape that the component's imports have. Only those that the manifest
// declares are there.

import { createHash, createHmac, createPrivateKey, createPublicKey, sign, timingSafeEqual, verify } from "node:crypto";
import { Fault } from "../fault.js";
import { imports } from "../build/world.js";

const values = new WeakMap();

/** The bytes behind a handle; for the double alone. */
export const bytesOf = (handle) => values.get(handle);

const digests = {
  "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512", MD5: "md5",
  HS256: "sha256", HS384: "sha384", HS512: "sha512", "HMAC-SHA1": "sha1",
  RS256: "sha256", RS384: "sha384", RS512: "sha512", ES256: "sha256", ES384: "sha384", EdDSA: null,
};

function algorithm(alg) {
  if (!(alg in digests)) throw Fault.unsupported(`the algorithm ${alg}`);
  return digests[alg];
}

/** All interfaces that the manifest brings, over the state of one double. */
export function interfaces(state) {
  const handle = (name, value) => {
    const made = { name, size: () => Buffer.byteLength(value) };
    values.set(made, Buffer.from(value));
    return made;
  };
  const known = (name) => {
    const found = state.secrets.get(name);
    if (found === undefined) throw Fault.notFound("secret_unknown", `there is no secret ${name}`);
    return found;
  };
  const used = (secret, use) => {
    const declared = state.manifest.secret.find((s) => s.name === secret.name);
    if (!declared.use.includes(use)) throw Fault.denied("use_not_granted", `${secret.name} may not be used as ${use}`);
    return bytesOf(secret);
  };
  const mac = (alg, secret, data) => createHmac(algorithm(alg), used(secret, `mac:${alg}`)).update(data).digest();
  const notDoubled = (what) => () => {
    throw Fault.unsupported(`${what} in tests`);
  };
  const all = {
    config: { get: () => JSON.stringify(state.config) },
    clock: { nowMs: () => BigInt(state.now), monotonicNs: () => BigInt(state.now) * 1_000_000n },
    log: { emit: (level, message, fields) => state.logs.push({ level, message, fields: Object.fromEntries(fields) }) },
    // The same bytes in every run of a test, other ones in every call.
    random: {
      bytes: (count) => {
        const out = [];
        while (out.length < count) out.push(...createHash("sha256").update(String(state.random++)).digest());
        return Uint8Array.from(out.slice(0, count));
      },
    },
    kv: {
      get: (key) => {
        const found = state.kv.get(key);
        return found === undefined || found.until <= state.now ? undefined : { value: found.value, version: found.version };
      },
      put: (key, value, ttlS, ifVersion) => {
        const found = all.kv.get(key);
        if (ifVersion !== undefined && ifVersion !== (found?.version ?? 0n)) {
          throw Fault.conflict("version_mismatch", `${key} is at another version`);
        }
        const version = (state.kv.get(key)?.version ?? 0n) + 1n;
        state.kv.set(key, { value, version, until: ttlS === undefined ? Infinity : state.now + ttlS * 1000 });
        return version;
      },
      remove: (key) => void state.kv.delete(key),
    },
    secrets: {
      versions: (name) => known(name).map((_, i) => String(i)),
      open: (name, version = "0") => handle(name, known(name)[Number(version)]),
    },
    reveal: { expose: (secret) => used(secret, "reveal") },
    crypto: {
      digest: (alg, data) => createHash(algorithm(alg)).update(data).digest(),
      mac,
      macVerify: (alg, secret, data, tag) => {
        const right = mac(alg, secret, data);
        return right.length === tag.length && timingSafeEqual(right, tag);
      },
      sign: (alg, secret, data) =>
        sign(algorithm(alg), data, { key: createPrivateKey(used(secret, `sign:${alg}`)), dsaEncoding: "ieee-p1363" }),
      verify: (alg, publicKey, data, signature) => {
        const text = Buffer.from(publicKey).toString();
        const key = text.startsWith("{") ? { key: JSON.parse(text), format: "jwk" }
          : text.startsWith("-----") ? text : { key: Buffer.from(publicKey), format: "der", type: "spki" };
        return verify(algorithm(alg), data, { key: createPublicKey(key), dsaEncoding: "ieee-p1363" }, signature);
      },
      openAead: notDoubled("openAead"),
      sealAead: notDoubled("sealAead"),
      decrypt: notDoubled("decrypt"),
      encrypt: notDoubled("encrypt"),
      encryptTo: notDoubled("encryptTo"),
      certificate: notDoubled("certificate"),
    },
    http: { send: (request, credential, options) => state.network.send(request, credential, options) },
    dial: { connect: notDoubled("dial") },
    download: { fetch: notDoubled("download") },
    blob: {
      create: (name) => {
        let text = "";
        return {
          write: (raw) => void (text += new TextDecoder().decode(raw)),
          finish: () => {
            state.files.set(name, text);
            return name;
          },
        };
      },
    },
    datasets: {
      open: (name, filter) => {
        JSON.parse(filter);
        const declared = (state.manifest.report ?? []).some((r) => (r.datasets ?? []).includes(name));
        if (!declared) throw Fault.denied("dataset_not_granted", `${name} is not among the granted datasets`);
        const found = state.datasets.get(name);
        if (found === undefined) throw Fault.provider("dataset_unavailable", `the test gives ${name} no rows`);
        const rows = [...found.rows];
        return { columns: () => found.columns, next: (max) => rows.splice(0, max) };
      },
      progress: (percent) => {
        state.progress.push(percent);
        return state.cancelAt === undefined || percent < state.cancelAt;
      },
    },
  };
  const there = imports(state.manifest, ["download"].filter((name) => state.manifest.world?.includes("payment")));
  return Object.fromEntries(there.map((name) => [name, all[name]]));
}
