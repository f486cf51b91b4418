import { mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { copyObjects } from "../src/internal/copy-objects.ts";
import { heldBy } from "../src/internal/orphans.ts";
import { run } from "../src/internal/process.ts";
import { scratchDirectory } from "./support/real-source.ts";

test("a build directory takes another's place with its times, and nothing is left beside it", async () => {
  const root = await scratchDirectory();
  const [from, to] = [join(root, "trials"), join(root, "trials.kept")];
  await copyObjects(from, to, root, undefined);
  expect(await readdir(root)).toEqual([]);
  await mkdir(join(from, "kernel"), { recursive: true });
  const object = join(from, "kernel/fork.o");
  await writeFile(object, "new");
  await utimes(object, 1000, 1000);
  // What was left at the worst moments.
  for (const left of [to, `${to}.new`, `${to}.old`]) {
    await mkdir(left);
    await writeFile(join(left, "stale"), "");
  }
  await copyObjects(from, to, from, undefined);
  expect((await readdir(to)).sort()).toEqual([".justenough.lock", "kernel"]);
  expect((await stat(join(to, "kernel/fork.o"))).mtimeMs).toBe(1_000_000);
  expect((await readdir(root)).sort()).toEqual(["trials", "trials.kept"]);
});

test("a copy is made when what else runs in the directory has ended", async () => {
  const root = await scratchDirectory();
  const [from, to] = [join(root, "trials"), join(root, "trials.kept")];
  await mkdir(from);
  const command = `touch begun; sleep 1; echo done > late`;
  const other = run(heldBy(from, { file: "sh", args: ["-c", command], cwd: from }));
  while (!(await readdir(from)).includes("begun")) await sleep(20);
  await copyObjects(from, to, from, undefined);
  expect(await readFile(join(to, "late"), "utf8")).toBe("done\n");
  await other;
});
