// The WIT world of one plugin, from its manifest: what is declared decides what is imported. componentize-js imports
// all of the world it is given, used or not, and the host refuses an import that nothing declares.

const always = ["log", "config", "clock"];

/** Per world: the exports, the imports it may have, and the SDK's function that makes the exports. */
export const worlds = {
  "aistack:identity/identity-provider": {
    make: "identity",
    module: "worlds/identity.js",
    exports: [
      "aistack:core/lifecycle", "aistack:identity/login", "aistack:identity/directory", "aistack:core/inbound",
      "aistack:core/documents", "aistack:core/jobs",
    ],
    imports: [...always, "random", "kv", "secrets", "reveal", "crypto", "http", "dial"],
  },
  "aistack:payment/payment-provider": {
    make: "paying",
    module: "worlds/payment.js",
    exports: [
      "aistack:core/lifecycle", "aistack:payment/payments", "aistack:payment/refunds", "aistack:payment/agreements",
      "aistack:payment/settlement", "aistack:core/inbound", "aistack:core/documents", "aistack:core/jobs",
    ],
    imports: [...always, "random", "kv", "secrets", "crypto", "http", "blob", "download"],
  },
  "aistack:report/report-generator": {
    make: "report",
    module: "worlds/report.js",
    exports: ["aistack:core/lifecycle", "aistack:report/generator"],
    imports: [...always, "blob", "datasets"],
  },
};

/** The entry of `worlds` that a manifest names. */
export function worldOf(manifest) {
  const name = String(manifest.world ?? "").split("@")[0];
  const world = worlds[name];
  if (world === undefined) {
    throw new Error(
      `aistack-plugin.toml: world ${JSON.stringify(manifest.world)} is unknown; it is one of `
        + Object.keys(worlds).map((w) => `${w}@1.0`).join(", "),
    );
  }
  return world;
}

/** The interfaces that a manifest declares; `extra` are those an author asks for that need no declaration. */
export function imports(manifest, extra = []) {
  const secrets = manifest.secret ?? [];
  const egress = (kind) => (manifest.egress ?? []).some((e) => e.kind === kind);
  const reports = manifest.report ?? [];
  const declared = {
    random: true,
    crypto: true,
    kv: manifest.grants?.kv !== undefined,
    secrets: secrets.length > 0,
    reveal: secrets.some((s) => (s.use ?? []).includes("reveal")),
    http: egress("http"),
    dial: egress("dial"),
    blob: reports.length > 0 || manifest.grants?.blob === true,
    datasets: reports.some((r) => (r.datasets ?? []).length > 0),
  };
  const world = worldOf(manifest);
  for (const name of extra) {
    if (!world.imports.includes(name)) throw new Error(`this world does not have the interface ${name}`);
  }
  return world.imports.filter((name) => always.includes(name) || declared[name] || extra.includes(name));
}

const full = (name) => (name === "datasets" ? "aistack:report/datasets" : `aistack:host/${name}`);

/** How the component's JavaScript names an imported interface. */
export const specifier = (name, version) => `${full(name)}@${version}`;

/** The text of the world. */
export function wit(manifest, names, version) {
  const lines = [
    ...names.map((name) => `  import ${full(name)}@${version};`),
    ...worldOf(manifest).exports.map((name) => `  export ${name}@${version};`),
  ];
  return `package plugin:component;\n\nworld plugin {\n${lines.join("\n")}\n}\n`;
}

/**
 * `secrets` without its functions: other interfaces need its type, and a plugin that declares no secret must not import
 * the rest.
 */
export const typeOnly = (source) =>
  source.replace(/^ {4}(?:versions|open): func\(.*;\n/gm, "").replace(/resource secret \{[^}]*\}/, "resource secret;");
