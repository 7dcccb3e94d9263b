// Makes `dist/<id, with dashes>.wasm` of this folder: `node build.mjs [--out FILE]`.
import { main } from "../../../js/build/index.js";

await main(import.meta.url);
