// From a folder with `aistack-plugin.toml`, `config.schema.json` and `src/plugin.js` to one component.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { table } from "./lines.js";
import { tools } from "./tools.js";
import { append, imports as importsOf, strip } from "./wasm.js";
import { imports, specifier, typeOnly, wit, worldOf } from "./world.js";

const sdk = fileURLToPath(new URL("..", import.meta.url));
/** The contract; a folder beside the SDK's, in the repository and in a new project alike. */
const contract = fileURLToPath(new URL("../../../wit/v1", import.meta.url));
const version = "1.0.0";

/** Engine features that bring imports no host offers: files, outbound HTTP. `Date` and `Math.random` stay. */
const off = ["http", "fetch-event", "stdio"];

/**
 * Builds the plugin in the folder `root`; returns `{ path, size, imports, seconds }`.
 *
 * `entry`: the module whose default export is the plugin (JavaScript or TypeScript). `out`: the component's file.
 * `extra`: interfaces to import that need no declaration of their own (`download`).
 */
export async function build({ root, entry = "src/plugin.js", out, extra = [], say = () => {} }) {
  const started = performance.now();
  const read = (file) => readFileSync(join(root, file), "utf8");
  const manifestText = read("aistack-plugin.toml");
  const { componentize, esbuild, toml } = await tools(say);
  const manifest = toml.parse(manifestText);
  const schema = read(manifest.config?.schema ?? "config.schema.json");
  JSON.parse(schema);
  const world = worldOf(manifest);
  const names = imports(manifest, extra);
  const target = resolve(root, out ?? `dist/${String(manifest.id).replace(/[._]/g, "-")}.wasm`);

  const work = mkdtempSync(join(tmpdir(), "aistack-js-"));
  try {
    cpSync(join(contract, "deps"), join(work, "wit/deps"), { recursive: true });
    writeFileSync(join(work, "wit/world.wit"), wit(manifest, names, version));
    if (!names.includes("secrets")) {
      const file = join(work, "wit/deps/host/secrets.wit");
      writeFileSync(file, typeOnly(readFileSync(file, "utf8")));
    }
    const source = join(work, "plugin.js");
    writeFileSync(source, await bundle(esbuild, { root, entry, world, names }));
    const { component } = await componentize({
      sourcePath: source,
      sourceName: "plugin.js",
      witPath: join(work, "wit"),
      worldName: "plugin",
      // Reports have no randomness: the same data makes the same file.
      disableFeatures: world.make === "report" ? [...off, "random"] : off,
    });
    let bytes = Buffer.from(component);
    if (process.env.AISTACK_DEBUG !== "1") bytes = strip(bytes);
    bytes = append(bytes, "aistack:manifest", manifestText);
    bytes = append(bytes, "aistack:config-schema", schema);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
    return {
      path: relative(process.cwd(), target) || basename(target),
      size: bytes.length,
      imports: importsOf(bytes),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** One file of the plugin, the SDK and whatever npm packages it uses, with the table of its lines at the end. */
async function bundle(esbuild, { root, entry, world, names }) {
  const list = names.map((name, i) => `import * as i${i} from ${JSON.stringify(specifier(name, version))};`);
  const members = names.map((name, i) => `${name}: i${i}`);
  const contents = [
    ...list,
    `import plugin from ${JSON.stringify(resolve(root, entry))};`,
    `import { Host } from ${JSON.stringify(join(sdk, "host.js"))};`,
    `import { ${world.make} } from ${JSON.stringify(join(sdk, world.module))};`,
    `const made = ${world.make}(plugin, new Host({ ${members.join(", ")} }));`,
    ...world.exports.map((name) => `export const ${name.split("/")[1]} = made.${name.split("/")[1]};`),
  ].join("\n");
  let result;
  try {
    result = await esbuild.build({
      stdin: { contents, resolveDir: root, sourcefile: "component.js" },
      absWorkingDir: root,
      bundle: true,
      write: false,
      format: "esm",
      target: "es2022",
      platform: "neutral",
      mainFields: ["module", "main"],
      external: ["aistack:*"],
      alias: { "aistack-sdk": join(sdk, "index.js") },
      sourcemap: "external",
      outfile: join(root, "component.js"),
      charset: "utf8",
      logLevel: "silent",
    });
  } catch (error) {
    const said = (error.errors ?? []).map(({ text, location: at }) =>
      at ? `${at.file}:${at.line}:${at.column + 1}: ${text}` : text);
    throw new Error(said.length > 0 ? said.join("\n") : error.message);
  }
  const [map, code] = ["map", "js"].map((kind) => result.outputFiles.find((f) => f.path.endsWith(kind)).text);
  const lines = table(JSON.parse(map), (name) => {
    const path = resolve(root, name);
    const inside = relative(sdk, path);
    return inside.startsWith("..") ? relative(root, path) : `aistack-sdk/${inside}`;
  });
  return `${code}\nglobalThis.__aistackLines = ${JSON.stringify(lines)};\n`;
}

/** The command line of a project's `build.mjs`: `node build.mjs [--out FILE]`. */
export async function main(url, options = {}) {
  const root = dirname(fileURLToPath(url));
  const at = process.argv.indexOf("--out");
  const out = at > 0 ? resolve(process.argv[at + 1] ?? "") : undefined;
  const say = (line) => process.stderr.write(`${line}\n`);
  try {
    const done = await build({ ...options, root, say, ...(out === undefined ? {} : { out }) });
    const mib = (done.size / 2 ** 20).toFixed(1);
    process.stdout.write(`${done.path}  ${mib} MiB  ${done.seconds.toFixed(1)} s\nimports\n`);
    for (const name of done.imports) process.stdout.write(`  ${name}\n`);
  } catch (error) {
    say(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
