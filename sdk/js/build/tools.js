// What turns JavaScript into a component lies in the user's cache, where it is put the first time. It is 400 MB, so a
// copy per project would be a waste.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const pins = fileURLToPath(new URL("../toolchain", import.meta.url));

/** Where the toolchain lies; another folder for other pins. */
export function cache() {
  const lock = createHash("sha256").update(readFileSync(join(pins, "package-lock.json"))).update(readFileSync(join(pins, "index.js"))).digest("hex");
  const base = process.env.AISTACK_AUTHOR_CACHE
    ?? join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "aistack", "author");
  return join(base, `js-${lock.slice(0, 12)}`);
}

/** Installs the toolchain unless it is there; returns its folder. */
export function install(say = () => {}) {
  const folder = cache();
  if (existsSync(join(folder, "package.json"))) return folder;
  say(`installing componentize-js into ${folder} (once, 400 MB)`);
  mkdirSync(dirname(folder), { recursive: true });
  // Made beside its final place and renamed: an interrupted installation is never taken for a whole one.
  const part = mkdtempSync(`${folder}.part-`);
  try {
    for (const file of ["package.json", "package-lock.json", "index.js"]) copyFileSync(join(pins, file), join(part, file));
    // Not `npm ci`: the lock file lacks optional builds for platforms whose packages a registry may not carry, and `ci`
    // insists on all of them. What is locked is installed as locked either way.
    const npm = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: part,
      stdio: ["ignore", 2, 2],
      shell: process.platform === "win32",
    });
    if (npm.error) throw new Error(`npm cannot be started (${npm.error.message}): install Node.js with npm`);
    if (npm.status !== 0) throw new Error(`npm install failed (exit ${npm.status}): is the registry reachable?`);
    try {
      renameSync(part, folder);
    } catch (error) {
      // Another build was faster; its copy is as good.
      if (!existsSync(join(folder, "package.json"))) throw error;
    }
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return folder;
}

/** `{ componentize, esbuild, toml }`. */
export const tools = async (say) => import(pathToFileURL(join(install(say), "index.js")));
