/**
 * The whole comparison with ldd: every file of this machine that names libraries and that ldd can handle, and the time
 * that either takes for all.
 *
 *   node packages/initramfs/test/reference/run-ldd.ts [DIRECTORY]…
 */
import { execFileSync } from "node:child_process";

import { closures } from "../../src/index.ts";
import { DIRECTORIES, dynamicFiles, ldd, librariesOf } from "./ldd.ts";

const directories = process.argv.length > 2 ? process.argv.slice(2) : DIRECTORIES;
const files = dynamicFiles(directories);
const expected = await ldd(files);
const handled = files.filter((path) => expected.get(path) !== undefined);
let different = 0;
const start = performance.now();
const found = closures(handled);
const ours = performance.now() - start;
for (const path of handled) {
  const names = expected.get(path) ?? [];
  const mine = librariesOf(found.get(path) ?? []);
  if (names.join() === mine.join()) continue;
  different++;
  const only = (some: readonly string[], others: readonly string[]): string =>
    some.filter((name) => !others.includes(name)).join(" ");
  console.log(`${path}: only ldd: ${only(names, mine)}; only ours: ${only(mine, names)}`);
}
// As one would do it by hand: ldd for each file.
const loop = performance.now();
for (const path of handled) execFileSync("ldd", [path], { stdio: ["ignore", "ignore", "ignore"] });
const theirs = performance.now() - loop;
console.log(
  `${handled.length} files that ldd handles (of ${files.length}): ${handled.length - different} as ldd says, ${different} different`,
);
console.log(
  `ours ${(ours / 1000).toFixed(1)} s, ldd in a loop ${(theirs / 1000).toFixed(1)} s: ${(theirs / ours).toFixed(1)} times`,
);
process.exitCode = different > 0 ? 1 : 0;
