import assert from "node:assert/strict";
import test from "node:test";
import { FakeHost, context } from "aistack-sdk/testing";
import plugin from "../src/plugin.js";

const host = (config = { heading: "January" }) =>
  FakeHost.forPlugin(new URL("..", import.meta.url), config).withDataset(
    "usage.daily",
    [{ name: "day", kind: "text", labels: [], unit: "" }],
    Array.from({ length: 3 }, () => [{ tag: "text", val: "2026-01-01" }]),
  );
const job = (more = {}) => ({ report: "summary", params: { from: "2026-01-01" }, format: "txt", ...more });

test("counts the rows", () => {
  const platform = host();
  assert.deepEqual(plugin.run(platform, context(), job()), { rows: 3, files: ["summary.txt"] });
  assert.deepEqual(platform.files, { "summary.txt": "January\nrows: 3\n" });
  assert.deepEqual(platform.reported, [50, 90, 100]);
});

test("a cancelled run leaves no file behind", () => {
  const platform = host().cancelAt(0);
  assert.throws(() => plugin.run(platform, context(), job()), { code: "cancelled" });
  assert.deepEqual(platform.files, {});
});

test("refuses what the manifest does not offer", () => {
  for (const wrong of [{ report: "other" }, { format: "pdf" }, { params: { day: 1 } }, { params: { from: 1 } }]) {
    assert.throws(() => plugin.run(host(), context(), job(wrong)), { kind: "invalid-input" });
  }
});

test("check says what is wrong with the configuration and the dataset", () => {
  assert.equal(plugin.check(host(), context(), true)[0].ok, true);
  assert.equal(plugin.check(host({}), context(), false)[0].ok, false);
  const empty = FakeHost.forPlugin(new URL("..", import.meta.url), { heading: "x" });
  assert.equal(plugin.check(empty, context(), true)[0].ok, false);
});
