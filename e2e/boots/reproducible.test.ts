/**
 * Two builds of one spec from two caches that share nothing but the kernel's source give the same bytes. The initramfs
 * is made twice each time; the kernel only when its bytes were not reproduced before, of which a note in the cache
 * tells.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
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

test("examples/shell built twice gives the same kernel and the same initramfs", async () => {
  const first = await build();
  const note = join(cache, "e2e", `reproduced-${first.kernel}`);
  const second = await (existsSync(note)
    ? buildAnew("kernel/sources", "kernel/artifacts")
    : buildAnew("kernel/sources"));
  expect(second).toEqual(first);
  mkdirSync(join(cache, "e2e"), { recursive: true });
  writeFileSync(note, "");
});
