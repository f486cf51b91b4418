/**
 * Two builds of one spec from two caches that share nothing but the kernel give the same bytes. That the kernel's are
 * the same is packages/kernel's to prove, which builds the very one of this spec twice.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appliance } from "../lib/command.ts";

const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "justenough");
const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

interface Built {
  readonly kernel: string;
  readonly initramfs: string;
}

async function build(...args: string[]): Promise<Built> {
  const run = await appliance(["build", "examples/shell", "--json", ...args]);
  expect(run.exitCode, run.stderr).toBe(0);
  const { directory } = JSON.parse(run.stdout) as { directory: string };
  return { kernel: sha256(join(directory, "kernel")), initramfs: sha256(join(directory, "initramfs")) };
}

/** Builds in a cache that is empty but for some folders of the real one. */
async function buildAnew(...shared: string[]): Promise<Built> {
  const other = mkdtempSync(join(tmpdir(), "justenough-reproducible-"));
  try {
    mkdirSync(join(other, "kernel"));
    for (const name of shared) symlinkSync(join(cache, name), join(other, name));
    return await build("--cache-dir", other);
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
}

test("examples/shell built twice gives the same initramfs, and the same kernel", async () => {
  const first = await build();
  expect(await buildAnew("kernel/sources", "kernel/artifacts")).toEqual(first);
});
