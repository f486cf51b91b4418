import { createHash } from "node:crypto";
import { access, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { buildKernel, kernelCacheDir, verifyKernel } from "../src/index.ts";
import { compareDirectories } from "../src/internal/compare-directories.ts";
import { SIGNED_KERNEL } from "./support/built-kernel.ts";
import { scratchDirectory } from "./support/real-source.ts";

test("directories are compared to the last byte, and by the names in them", async () => {
  const at = await scratchDirectory();
  const [a, b] = [join(at, "a"), join(at, "b")];
  const large = Buffer.alloc(2_500_000, 7);
  for (const directory of [a, b]) {
    await mkdir(join(directory, "lib"), { recursive: true });
    await writeFile(join(directory, "same"), large);
    await writeFile(join(directory, "lib/empty"), "");
    await symlink("same", join(directory, "link"));
  }
  expect(await compareDirectories(a, b)).toEqual({ files: 3, differing: [] });
  const last = Buffer.from(large);
  last[last.length - 1] = 8;
  await writeFile(join(b, "same"), last);
  await writeFile(join(a, "lib/only"), "");
  await symlink("nowhere", join(b, "lib/other"));
  expect(await compareDirectories(a, b)).toEqual({ files: 5, differing: ["lib/only", "lib/other", "same"] });
  expect(await compareDirectories(a, b, { only: (path) => path === "link" })).toMatchObject({
    differing: [],
  });
});

// A build from nothing takes minutes: a note in the cache tells of the kernel whose bytes came out twice already.
test("a kernel built again elsewhere has the same bytes", { timeout: 1_800_000 }, async () => {
  const kernel = await buildKernel(SIGNED_KERNEL);
  const manifest = await readFile(join(kernel.directory, "manifest.json"));
  const note = join(
    kernelCacheDir(),
    "../tests/verified",
    createHash("sha256").update(manifest).digest("hex"),
  );
  const known = await access(note).then(
    () => true,
    () => false,
  );
  if (known) return;
  const { files, differing, objects } = await verifyKernel(SIGNED_KERNEL);
  expect({ differing, objects }).toEqual({ differing: [], objects: [] });
  expect(files).toBeGreaterThan(5);
  await mkdir(dirname(note), { recursive: true });
  await writeFile(note, "");
});
