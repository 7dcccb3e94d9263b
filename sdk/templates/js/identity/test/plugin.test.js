import assert from "node:assert/strict";
import test from "node:test";
import { Fault, request, text } from "aistack-sdk";
import { FakeHost, context } from "aistack-sdk/testing";
import plugin from "../src/plugin.js";

const service = "https://accounts.example.test";
const host = (config = { service_url: service }) =>
  FakeHost.forPlugin(new URL("..", import.meta.url), config)
    .withSecret("service_key", "key-1")
    .on("GET", `${service}/health`).replyJson(200, {})
    .on("POST", `${service}/exchange`).replyJson(200, { id: "42", login: "zhang", email: "zhang@example.test" });
const start = { returnUrl: "https://acme.example.test/callback", userAgent: "test", purpose: "login", extra: "{}" };
const back = (query) => ({ tag: "http", val: request("GET", `/callback?${query}`) });

test("signs in", () => {
  const platform = host();
  const begun = plugin.begin(platform, context(), start);
  const url = new URL(begun.step.val);
  assert.equal(url.origin + url.pathname, `${service}/authorize`);
  assert.equal(url.searchParams.get("redirect_uri"), start.returnUrl);
  const done = plugin.resume(platform, context(), begun.state, back(`code=c0de&state=${url.searchParams.get("state")}`));
  assert.equal(done.step.tag, "done");
  const { subject, username, email, emailVerified } = done.step.val.user;
  assert.deepEqual([subject, username, email, emailVerified], ["42", "zhang", "zhang@example.test", false]);
  assert.equal(platform.requests[0].headers.get("authorization"), "Bearer key-1");
  assert.equal(platform.requests[0].text, "code=c0de");
});

test("no two sign-ins look alike", () => {
  const platform = host();
  const [one, two] = [1, 2].map(() => plugin.begin(platform, context(), start));
  assert.notEqual(one.step.val, two.step.val);
  assert.notEqual(text(one.state), text(two.state));
});

test("refuses whatever comes back without being right", () => {
  const platform = host();
  const { state } = plugin.begin(platform, context(), start);
  const raw = new TextEncoder();
  for (const [held, input] of [
    [state, back("")],
    [state, back("code=stolen")],
    [state, back("code=stolen&state=wrong")],
    [state, back("state=%FF%00&code=%00&code=2")],
    [state, back("error=access_denied")],
    [state, { tag: "poll" }],
    [state, { tag: "fields", val: [] }],
    [raw.encode(""), back("code=1&state=1")],
    [raw.encode("{}"), back("code=1&state=1")],
    [Uint8Array.of(0xff, 0xfe), back("code=1&state=1")],
  ]) {
    assert.throws(() => plugin.resume(platform, context(), held, input), (fault) =>
      fault instanceof Fault && fault.kind !== "internal");
  }
  assert.equal(platform.requests.length, 0);
});

test("check says what is wrong", () => {
  assert.equal(plugin.check(host(), context(), true)[0].ok, true);
  assert.equal(plugin.check(host({}), context(), false)[0].ok, false);
  const down = host().on("GET", `${service}/health`).fail(Fault.transport("unreachable", "no route"));
  assert.deepEqual(plugin.check(down, context(), true), [{ field: "/service_url", ok: false, message: "no route" }]);
});
