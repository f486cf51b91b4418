import { execFile } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { parseConfig } from "@justenough/kconfig";
import { beforeAll, expect, test } from "vitest";
import { kernelSize } from "../src/index.ts";
import type { KernelBytes, KernelSize } from "../src/index.ts";
import { buildDirectories } from "./support/built-kernel.ts";
import { kbuild } from "./support/kbuild.ts";
import { scratchDirectory } from "./support/real-source.ts";

const execFileAsync = promisify(execFile);

const sizes = new Map<string, KernelSize>();

beforeAll(async () => {
  for (const directory of await buildDirectories()) sizes.set(directory, await kernelSize(directory));
}, 1_800_000);

/** What binutils says of files, by name. */
async function binutils(directory: string, files: readonly string[]): Promise<Map<string, KernelBytes>> {
  const { stdout } = await execFileAsync("size", [...files], { cwd: directory, maxBuffer: 1 << 26 });
  const rows = stdout.trim().split("\n").slice(1);
  return new Map(
    rows.map((row) => {
      const [text, data, bss, , , file = ""] = row.trim().split(/\s+/);
      return [file, { text: Number(text), data: Number(data), bss: Number(bss) }];
    }),
  );
}

test("every object and the kernel have the bytes that binutils' size counts", async () => {
  expect(sizes.size).toBeGreaterThan(0);
  for (const [directory, size] of sizes) {
    const wanted = await binutils(directory, ["vmlinux", ...size.objects.map(({ path }) => path)]);
    expect(size.linked).toEqual(wanted.get("vmlinux"));
    for (const { path, text, data, bss } of size.objects) {
      expect({ text, data, bss }, path).toEqual(wanted.get(path));
    }
    expect(size.sections.length).toBeGreaterThan(10);
  }
});

test("the objects are those that the linker takes", { timeout: 60_000 }, async () => {
  const scratch = await scratchDirectory();
  for (const [directory, size] of sizes) {
    const record = await readFile(join(directory, ".vmlinux.o.cmd"), "utf8");
    const words = /cmd_vmlinux\.o := ld ([^;\n]*)/.exec(record)?.[1]?.trim().split(/\s+/) ?? [];
    const out = join(scratch, "vmlinux.o");
    const args = words.map((word, index) => (words[index - 1] === "-o" ? out : word));
    // It traces every file that it takes.
    const { stdout } = await execFileAsync("ld", ["-t", ...args], { cwd: directory, maxBuffer: 1 << 26 });
    const taken = stdout.match(/[^\s()]+\.o\b/g) ?? [];
    const beside = new Set(["init/version-timestamp.o", ".vmlinux.export.o"]);
    const ours = size.objects.map(({ path }) => path).filter((path) => !beside.has(path));
    expect(ours.sort()).toEqual([...new Set(taken)].sort());
  }
});

test("directories and options hold every object once", () => {
  const total = ({ text, data, bss }: KernelBytes): number => text + data + bss;
  for (const { directories, options, objects, sum } of sizes.values()) {
    const all = total(sum);
    const count = (list: readonly { readonly objects: number }[]): number =>
      list.reduce((before, { objects: more }) => before + more, 0);
    expect(count(options)).toBe(objects.length);
    expect(options.reduce((before, group) => before + total(group), 0)).toBe(all);
    const top = directories.filter(({ name }) => !name.includes("/"));
    expect(count(top)).toBe(objects.filter(({ path }) => path.includes("/")).length);
    expect([...options].sort((a, b) => total(b) - total(a))).toEqual(options);
  }
});

/** Objects that are there for one option alone, in kernels that have it. */
const OWN_OBJECTS = [
  ["kernel/futex/core.o", "FUTEX"],
  ["fs/proc/root.o", "PROC_FS"],
  ["drivers/acpi/bus.o", "ACPI"],
  ["drivers/tty/serial/8250/8250_port.o", "SERIAL_8250"],
] as const;

test("an object is counted for an option that is on, and without which it would not be there", async () => {
  for (const [directory, { objects }] of sizes) {
    const config = parseConfig(await readFile(join(directory, ".config"), "utf8"));
    const optionOf = new Map(objects.map(({ path, option }) => [path, option]));
    for (const option of new Set(optionOf.values())) {
      for (const one of option?.split(" or ") ?? []) {
        const symbols = one.match(/(?<!!)\b[A-Z]\w+/g) ?? [];
        if (option?.includes(" or ") === true) continue;
        for (const symbol of symbols) expect(config.values.get(symbol)?.text, option).toMatch(/^[ym]$/);
      }
    }
    expect(optionOf.get("kernel/sched/core.o")).toBeUndefined();
    for (const [path, option] of OWN_OBJECTS)
      expect(optionOf.get(path), path).toBe(config.values.get(option)?.text === "y" ? option : undefined);
    // What is left open is what every kernel has, small and large ones alike.
    const open = [...optionOf.values()].filter((option) => option === undefined).length;
    expect(open).toBeLessThan(400);
  }
});

test("objects as they were kept, alignment and the linker's own are all bytes of the sections", async () => {
  for (const [directory, { objects, tree, linker, sections }] of sizes) {
    const { values } = parseConfig(await readFile(join(directory, ".config"), "utf8"));
    const kept = objects.reduce((sum, object) => sum + (object.kept ?? 0), 0);
    const whole = sections.reduce((sum, { size }) => sum + size, 0);
    const { alignment = 0, kallsyms = 0, other = 0 } = linker ?? {};
    expect(tree.total).toBe(kept);
    expect(kept + alignment + kallsyms + other).toBe(whole);
    expect(tree.objects).toBe(objects.length);
    // Symbol names move what is aligned to 2 MiB, and with IBT unwinding tables are made when all is one object.
    const isOn = (symbol: string): boolean => values.get(symbol)?.text === "y";
    const isPlain = !isOn("KALLSYMS") && !isOn("X86_KERNEL_IBT");
    // Nothing else is left but what is made by a link of its own.
    expect(Math.abs(other), directory).toBeLessThan(isPlain ? whole / 1000 : whole / 5);
  }
});

test("the command takes artifacts, a build directory or a vmlinux", async () => {
  const [directory = ""] = sizes.keys();
  const at = await scratchDirectory();
  await copyFile(join(directory, "System.map"), join(at, "System.map"));
  const size = JSON.parse((await kbuild("size", at, "--json")).out) as KernelSize;
  expect(size).toEqual(JSON.parse(JSON.stringify(sizes.get(directory))));
  const text = (await kbuild("size", relative(".", join(directory, "vmlinux")), "--top", "3")).out;
  expect(text).toMatch(/^ +\d+ +\d+ +\d+ +\d+ {2}vmlinux$/m);
  // Which directories and options depends on the kernels that this machine happens to have built.
  const below = size.directories.find(({ name }) => name.includes("/"))?.name;
  expect(text).toMatch(new RegExp(` {4}${below}$`, "m"));
  const [largest] = size.tree.below;
  expect(text).toContain(`  ${largest?.name}  ${largest?.objects} objects`);
  await copyFile(join(directory, "vmlinux"), join(at, "vmlinux"));
  expect((await kbuild("size", join(at, "vmlinux"))).out).toMatch(/^sections\n +\d+ \.\w+/m);
});

test("objects that are gone are told", async () => {
  const at = await scratchDirectory();
  await expect(kernelSize(at)).rejects.toMatchObject({ code: "KERNEL_BUILD" });
  await writeFile(join(at, "System.map"), "ffffffff81000000 T nothing\n");
  await expect(kernelSize(at)).rejects.toMatchObject({
    message: expect.stringContaining("are not in the cache any more") as string,
  });
  expect(await kbuild("size", "--top", "x", at)).toMatchObject({ status: 2 });
});
