// Stands beside the toolchain's node_modules, so that its packages are found from here.
export { componentize } from "@bytecodealliance/componentize-js";
export * as esbuild from "esbuild";
export * as toml from "smol-toml";
