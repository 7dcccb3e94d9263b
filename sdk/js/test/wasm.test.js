import assert from "node:assert/strict";
import test from "node:test";
import { append, imports, strip } from "../build/wasm.js";

const header = (component) => Buffer.from([0, 0x61, 0x73, 0x6d, component ? 0x0d : 1, 0, component ? 1 : 0, 0]);

test("names go at every depth, and nothing else", () => {
  const long = "x".repeat(300);
  let module = append(append(header(false), "name", long), "kept", long);
  module = append(module, ".debug_info", "y");
  const nested = (inner) =>
    Buffer.concat([header(true), Buffer.from([1, (inner.length & 0x7f) | 0x80, inner.length >> 7]), inner]);
  const wanted = nested(append(header(false), "kept", long));
  assert.deepEqual(strip(append(nested(module), "component-name", "n")), wanted);
  assert.deepEqual(strip(wanted), wanted);
});

test("a section is appended with its name and length", () => {
  assert.deepEqual(append(header(true), "ab", "c"), Buffer.concat([header(true), Buffer.from([0, 4, 2, 97, 98, 99])]));
});

test("imports are read behind every kind of description", () => {
  const entry = (name, ...rest) => [0, name.length, ...Buffer.from(name), ...rest];
  const body = [
    5,
    ...entry("a:b/c@1.0.0", 5, 0),
    ...entry("f", 1, 0x80, 1),
    ...entry("t", 3, 1),
    ...entry("u", 3, 0, 2),
    ...entry("m", 0, 0x11, 0),
  ];
  const bytes = Buffer.concat([header(true), Buffer.from([10, body.length, ...body])]);
  assert.deepEqual(imports(bytes), ["a:b/c@1.0.0", "f", "t", "u", "m"]);
});
