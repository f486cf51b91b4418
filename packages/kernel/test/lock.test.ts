import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withLock } from "../src/internal/lock.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "kernel-lock-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("one works at a time, and the others are told whom they wait for", async () => {
  const path = join(directory, "lock");
  let inside = 0;
  let most = 0;
  const waited: number[] = [];
  const one = (): Promise<void> =>
    withLock(path, { onWait: (pid) => waited.push(pid) }, async () => {
      inside++;
      most = Math.max(most, inside);
      await sleep(20);
      inside--;
    });
  await Promise.all([one(), one(), one(), one()]);
  expect(most).toBe(1);
  expect(waited).toEqual([process.pid, process.pid, process.pid]);
  expect(await readdir(directory)).toEqual([]);
});

test("the lock of a process that was killed is taken over", async () => {
  const path = join(directory, "lock");
  const module = new URL("../src/internal/lock.ts", import.meta.url).href;
  const script = `import { withLock } from ${JSON.stringify(module)};
    await withLock(${JSON.stringify(path)}, {}, async () => { process.kill(process.pid, "SIGKILL"); });`;
  await new Promise<void>((resolve) => {
    execFile(process.execPath, ["--input-type=module-typescript", "-e", script], () => resolve());
  });
  expect((await readdir(directory)).includes("lock"), "the killed process held the lock").toBe(true);
  expect(await withLock(path, {}, async () => "done")).toBe("done");
  // Only what the killed one had no chance to remove may be left.
  expect(await readdir(directory)).not.toContain("lock");
});

test("a lock whose process id was given to another process is taken over", async () => {
  const path = join(directory, "lock");
  await writeFile(path, JSON.stringify({ pid: process.pid, started: "1", nonce: "old" }));
  expect(await withLock(path, {}, async () => "done")).toBe("done");
});

test("waiting can be aborted, and what fails releases the lock", async () => {
  const path = join(directory, "lock");
  const abort = new AbortController();
  const holder = withLock(path, {}, async () => {
    await expect(
      withLock(path, { signal: abort.signal, onWait: () => abort.abort() }, async () => {}),
    ).rejects.toMatchObject({ code: "KERNEL_ABORTED" });
    throw new Error("failed");
  });
  await expect(holder).rejects.toThrow("failed");
  expect(await readdir(directory)).toEqual([]);
});
