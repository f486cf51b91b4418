import { readFile } from "node:fs/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildInitramfs } from "@justenough/initramfs";
import { buildKernel, buildModules } from "@justenough/kernel";
import { launch } from "@justenough/qemu";
import { afterAll, expect, test } from "vitest";
import { MODULAR_KERNEL } from "../../packages/kernel/test/support/built-kernel.ts";
import { writeGreeting } from "../../packages/kernel/test/support/greeting.ts";

const directory = mkdtempSync(join(tmpdir(), "e2e-module-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("a module from outside the tree is loaded at boot, after the one that it needs", async () => {
  const kernel = await buildKernel(MODULAR_KERNEL);
  await writeGreeting(join(directory, "greeting"));
  const modules = await buildModules({ kernel, directory: join(directory, "greeting") });
  const output = join(directory, "initramfs");
  await buildInitramfs({
    programs: [{ source: "/bin/busybox", target: "/bin/cat" }],
    modules: { directory: modules.directory, names: ["hello", "dummy"] },
    init: { kind: "generated", args: ["cat", "/proc/modules"] },
    compression: "gzip",
    output,
    arch: "x86_64",
  });
  await using vm = await launch(
    { kernel: kernel.image, initrd: [output], cmdline: "console=ttyS0 panic=-1" },
    { deadlines: { total: 60_000 } },
  );
  const result = await vm.wait();
  const text = vm.console.text();
  expect(result.kind, text).toBe("poweroff");
  expect(text).toContain("hello from where.c");
  expect(
    text
      .match(/^(hello|greeting|dummy) \d+ \d+ .*Live/gm)
      ?.sort()
      .map((line) => line.split(" ").slice(0, 4)),
  ).toEqual([
    ["dummy", expect.anything(), "0", "-"],
    ["greeting", expect.anything(), "1", "hello,"],
    ["hello", expect.anything(), "0", "-"],
  ]);
  // The same bytes are in the tree of modules.
  expect((await readFile(join(modules.directory, "modules.order"), "utf8")).length).toBeGreaterThan(0);
});
