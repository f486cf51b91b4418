import { cp, readFile, writeFile } from "node:fs/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildInitramfs } from "@justenough/initramfs";
import { buildKernel, buildModules } from "@justenough/kernel";
import type { KernelArtifacts } from "@justenough/kernel";
import { launch } from "@justenough/qemu";
import { afterAll, expect, test } from "vitest";
import { MODULAR_KERNEL, SIGNED_KERNEL } from "../../packages/kernel/test/support/built-kernel.ts";
import { writeGreeting } from "../../packages/kernel/test/support/greeting.ts";

const directory = mkdtempSync(join(tmpdir(), "e2e-module-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Boots a kernel whose /init loads modules and then prints those that are there; what the console shows. */
async function boot(kernel: KernelArtifacts, modules: string, names: readonly string[]): Promise<string> {
  const output = join(directory, "initramfs");
  await buildInitramfs({
    programs: [{ source: "/bin/busybox", target: "/bin/cat" }],
    modules: { directory: modules, names },
    init: { kind: "generated", args: ["cat", "/proc/modules"] },
    compression: "none",
    output,
    arch: "x86_64",
  });
  await using vm = await launch(
    { kernel: kernel.image, initrd: [output], cmdline: "console=ttyS0 panic=-1" },
    { deadlines: { total: 60_000 } },
  );
  const { kind } = await vm.wait();
  const text = vm.console.text();
  // Without ACPI /init restarts the machine in place of switching it off.
  expect(["poweroff", "reboot"], text).toContain(kind);
  return text;
}

test("a module from outside the tree is loaded at boot, after the one that it needs", async () => {
  const kernel = await buildKernel(MODULAR_KERNEL);
  await writeGreeting(join(directory, "greeting"));
  const modules = await buildModules({ kernel, directory: join(directory, "greeting") });
  const text = await boot(kernel, modules.directory, ["hello", "dummy"]);
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
});

test("a kernel that wants signatures loads the modules of its build and refuses one without", async () => {
  const kernel = await buildKernel(SIGNED_KERNEL);
  const source = join(directory, "signed");
  await writeGreeting(source);
  const signed = await buildModules({ kernel, directory: source });
  const names = ["hello", "crc-itu-t"];
  const all = await boot(kernel, signed.directory, names);
  expect(all).toContain("hello from where.c");
  expect(all.match(/^\w+(?= .* Live )/gm)?.sort()).toEqual(["crc_itu_t", "greeting", "hello"]);

  const cut = join(directory, "cut");
  await cp(signed.directory, cut, { recursive: true });
  const file = join(cut, "updates/greeting.ko");
  const bytes = await readFile(file);
  const end = "~Module signature appended~\n";
  expect(bytes.subarray(-end.length).toString("latin1")).toBe(end);
  await writeFile(file, bytes.subarray(0, -end.length));
  const refused = await boot(kernel, cut, names);
  expect(refused).toMatch(/Loading of unsigned module is rejected/);
  expect(refused).toMatch(/greeting\.ko": this kernel wants a signature, and has no key that made one/);
  expect(refused).not.toContain("hello from");
});
