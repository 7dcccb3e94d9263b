import assert from "node:assert/strict";
import test from "node:test";
import { imports, typeOnly, wit } from "../build/world.js";

const manifest = (world, more = {}) => ({ world: `aistack:${world}@1.0`, ...more });

test("what is declared decides what is imported", () => {
  assert.deepEqual(imports(manifest("identity/identity-provider")), ["log", "config", "clock", "random", "crypto"]);
  const full = manifest("identity/identity-provider", {
    grants: { kv: { bytes: "1KiB", keys: 1 } },
    secret: [{ name: "k", use: ["reveal"] }],
    egress: [{ kind: "http" }, { kind: "dial" }],
  });
  assert.deepEqual(imports(full), [
    "log", "config", "clock", "random", "kv", "secrets", "reveal", "crypto", "http", "dial",
  ]);
  const report = manifest("report/report-generator", { report: [{ name: "r", datasets: ["d"] }] });
  assert.deepEqual(imports(report), ["log", "config", "clock", "blob", "datasets"]);
});

test("a world never has more than its ceiling", () => {
  const greedy = { secret: [{ use: ["reveal"] }], egress: [{ kind: "dial" }] };
  assert.ok(!imports(manifest("payment/payment-provider", greedy)).some((name) => ["reveal", "dial"].includes(name)));
  assert.throws(() => imports(manifest("report/report-generator"), ["http"]), /does not have the interface http/);
  assert.ok(imports(manifest("payment/payment-provider"), ["download"]).includes("download"));
  assert.throws(() => imports(manifest("other/thing")), /is unknown; it is one of/);
});

test("the text of a world", () => {
  const report = manifest("report/report-generator");
  assert.equal(
    wit(report, ["log", "datasets"], "1.0.0"),
    `package plugin:component;

world plugin {
  import aistack:host/log@1.0.0;
  import aistack:report/datasets@1.0.0;
  export aistack:core/lifecycle@1.0.0;
  export aistack:report/generator@1.0.0;
}
`,
  );
});

test("secrets without functions keep their type", () => {
  const source = "    resource secret {\n        size: func() -> u32;\n    }\n    versions: func(name: string) -> x;\n"
    + "    open: func(name: string, version: option<string>) -> y;\n}\n";
  assert.equal(typeOnly(source), "    resource secret;\n}\n");
});
