import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { credential, form, hex, parseForm, request, unhex, withQuery } from "../index.js";
import { FakeHost } from "../testing/index.js";

function plugin(manifest, config) {
  const folder = mkdtempSync(join(tmpdir(), "aistack-double-"));
  try {
    writeFileSync(join(folder, "aistack-plugin.toml"), manifest);
    return FakeHost.forPlugin(folder, config);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const manifest = `world = "aistack:payment/payment-provider@1.0"
[grants]
kv = { bytes = "1KiB", keys = 2 }
[[egress]]
kind = "http"
hosts = ["api.example.com", "\${config.base}"]
[[secret]]
name = "key"
use = ["http:bearer", "mac:HS256"]
hosts = ["api.example.com"]
`;

test("only granted hosts are reached, and secrets go where they are bound", () => {
  const host = plugin(manifest, { base: "http://other.example:8080/x" })
    .withSecret("key", "s3cret")
    .on("GET", "https://api.example.com/a").replyJson(200, {})
    .on("GET", "http://other.example:8080/a").reply(204);
  const key = host.secret("key");
  host.send(request("GET", "https://api.example.com/a"), credential.bearer(key));
  assert.equal(host.requests[0].headers.get("authorization"), "Bearer s3cret");
  assert.equal(host.send(request("GET", "http://other.example:8080/a")).status, 204);
  const refused = (url, cred, code) => assert.throws(() => host.send(request("GET", url), cred), { code });
  refused("https://evil.example/", undefined, "host_not_granted");
  refused("https://api.example.com:8443/", undefined, "host_not_granted");
  refused("http://other.example:8080/a", credential.bearer(key), "secret_not_bound");
  refused("https://api.example.com/a", credential.basic("u", key), "use_not_granted");
  refused("https://api.example.com/none", undefined, "unreachable");
  assert.equal(host.requests.length, 3);
});

test("key-value state expires and is written once", () => {
  const host = plugin(manifest, {});
  const value = Uint8Array.of(1);
  assert.equal(host.kvPut("k", value, { ttlS: 1, ifVersion: 0n }), 1n);
  assert.throws(() => host.kvPut("k", value, { ifVersion: 0n }), { kind: "conflict" });
  host.advance(1000);
  assert.equal(host.kvGet("k"), undefined);
  assert.equal(host.kvPut("k", value, { ifVersion: 0n }), 2n);
});

test("macs are checked and undeclared powers refused", () => {
  const host = plugin(manifest, {}).withSecret("key", "s3cret");
  const data = Uint8Array.of(1, 2);
  const tag = host.mac("HS256", host.secret("key"), data);
  assert.equal(host.macVerify("HS256", host.secret("key"), data, tag), true);
  assert.equal(host.macVerify("HS256", host.secret("key"), data, tag.subarray(1)), false);
  assert.throws(() => host.mac("HS512", host.secret("key"), data), { code: "use_not_granted" });
  assert.throws(() => host.openDataset("d", {}, 0), { code: "interface_not_declared" });
  assert.throws(() => host.withSecret("other", "x"), /declares no secret/);
});

test("forms and hex", () => {
  assert.equal(withQuery("https://a/b?c=1", { "d e": "ü&" }), "https://a/b?c=1&d%20e=%C3%BC%26");
  assert.deepEqual(parseForm("a=1+2&b=%FF&c&=x"), [["a", "1 2"], ["b", "%FF"], ["c", ""], ["", "x"]]);
  assert.equal(form({ a: undefined, b: 1 }), "b=1");
  assert.deepEqual(unhex(hex(Uint8Array.of(0, 255))), Uint8Array.of(0, 255));
  for (const bad of ["0", "0g", undefined]) assert.equal(unhex(bad), undefined);
});
