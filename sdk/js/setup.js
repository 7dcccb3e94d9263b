// `node setup.js`: has the toolchain in the user's cache, for machines that build without a network later.
import { install } from "./build/tools.js";

try {
  process.stdout.write(`${install((line) => process.stderr.write(`${line}\n`))}\n`);
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
