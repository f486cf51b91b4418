import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { collectDiagnostics } from "../src/build-diagnostic.ts";
import type { BuildDiagnostic } from "../src/build-diagnostic.ts";
import { fetchSource, resolveSource } from "../src/index.ts";
import { buildError } from "../src/internal/build-error.ts";
import { objectOfLine } from "../src/internal/object-progress.ts";
import { run } from "../src/internal/process.ts";
import { DEBIAN } from "./support/debian.ts";
import { scratchDirectory } from "./support/real-source.ts";

test("lines of compiled objects are told from all others", () => {
  expect(objectOfLine("  CC      init/main.o")).toBe("init/main.o");
  expect(objectOfLine("  AS      arch/x86/entry/entry.o")).toBe("arch/x86/entry/entry.o");
  expect(objectOfLine("  CC [M]  lib/crc8.o")).toBe("lib/crc8.o");
  for (const line of [
    "  AR      init/built-in.a",
    "  HOSTCC  scripts/basic/fixdep",
    "  CC      /build/tools/objtool/check.o",
    "  LD [M]  lib/crc8.ko",
    "make[1]: Entering directory '/build'",
  ]) {
    expect(objectOfLine(line), line).toBeUndefined();
  }
});

/** Has make build objects as Kbuild does, with as many jobs as there are objects, from sources outside its directory. */
async function build(
  files: Readonly<Record<string, string>>,
  cc = "gcc",
): Promise<readonly BuildDiagnostic[]> {
  const directory = await scratchDirectory();
  const tree = join(directory, "tree");
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, name)), { recursive: true });
    await writeFile(join(tree, name), text);
  }
  const sources = Object.keys(files).filter((name) => /\.[cS]$/.test(name));
  const objectOf = (source: string): string => source.replace(/\.[cS]$/, ".o");
  const rules = sources.map((source) => {
    const kind = source.endsWith(".c") ? "CC" : "AS";
    return `${objectOf(source)}: ${join(tree, source)}
\t@echo '  ${kind}      $@'; mkdir -p $(dir $@); sleep 0.1; ${cc} -Wall -I${tree}/include -c -o $@ $<
`;
  });
  const makefile = `all: prog
${rules.join("")}
prog: ${sources.map(objectOf).join(" ")} ${files["needs"] ?? ""}
\t@echo '  LD      vmlinux'; ${cc} -nostdlib -static -o $@ $^
`;
  await mkdir(join(directory, "objects"));
  await writeFile(join(directory, "objects/Makefile"), makefile);
  const log = collectDiagnostics(tree);
  const args = [`-j${sources.length + 1}`, "-k", "--output-sync=target", "-C", join(directory, "objects")];
  const { exitCode } = await run({ file: "make", args }, { onLine: log.take, oneStream: true });
  expect(exitCode).toBe(2);
  return log.found();
}

test.each(["gcc", "clang"])("errors of %s have place and object, also from parallel jobs", async (cc) => {
  const found = await build(
    {
      "include/bad.h": "static int broken(void) { return missing; }\n",
      "kernel/a.c": '#include "bad.h"\nint a(void) { return broken(); }\n',
      "kernel/b.c": "int b(void)\n{\n\n\treturn vanished;\n}\n",
      "kernel/c.c": "int c(void)\n{\n\tint unused;\n\treturn 0;\n}\n",
      "lib/d.S": "\tnop\n\tfrobnicate %eax\n",
    },
    cc,
  );
  const errors = found
    .filter(({ severity }) => severity === "error")
    .map(({ file, line, target }) => ({ file, line, target }))
    .sort((a, b) => ((a.file ?? "") < (b.file ?? "") ? -1 : 1));
  expect(errors).toEqual([
    { file: "include/bad.h", line: 1, target: "kernel/a.o" },
    { file: "kernel/b.c", line: 4, target: "kernel/b.o" },
    { file: "lib/d.S", line: 2, target: "lib/d.o" },
  ]);
  expect(found.find(({ severity, file }) => severity === "warning" && file === "kernel/c.c")).toMatchObject({
    line: 3,
    message: expect.stringContaining("unused variable") as string,
  });
  const header = found.find(({ file }) => file === "include/bad.h");
  expect(header?.column).toBe(34);
  // With what includes it, and the line of the source.
  expect(header?.lines[0]).toMatch(/^In file included from .*kernel\/a\.c:1/);
  expect(header?.lines.join("\n")).toContain("return missing;");
  expect(header?.lines.join("\n")).not.toContain("make");
});

test("what linkers and make say is understood", async () => {
  const start = "int nowhere(void);\nvoid _start(void) { nowhere(); }\n";
  for (const cc of ["gcc", "clang -fuse-ld=lld"]) {
    const linked = await build({ "init/start.c": start }, cc);
    expect(linked).toEqual([
      expect.objectContaining({
        severity: "error",
        target: "vmlinux",
        message: expect.stringMatching(/^undefined (reference to|symbol:) [`']?nowhere'?$/) as string,
      }),
    ]);
  }
  expect(await build({ "init/start.c": start, needs: "no/such.o" })).toMatchObject([
    { message: "No rule to make target 'no/such.o', needed by 'prog'" },
  ]);
});

test("the tools of a kernel's build are understood, and there is an end to what is kept", () => {
  const log = collectDiagnostics("/tree");
  log.take("  MODPOST Module.symvers");
  log.take('ERROR: modpost: "gone" [drivers/a.ko] undefined!');
  log.take("vmlinux.o: warning: objtool: f+0x1: unreachable instruction");
  for (let i = 0; i < 2000; i++) log.take(`/tree/a.c:${i + 1}:1: warning: again`);
  log.take(`x: ${"error: ".repeat(100_000)}`);
  const found = log.found();
  expect(found[0]).toMatchObject({ severity: "error", message: 'modpost: "gone" [drivers/a.ko] undefined!' });
  expect(found[1]).toMatchObject({ severity: "warning", target: "vmlinux.o" });
  expect(found[2]).toMatchObject({ file: "a.c", line: 1, column: 1, message: "again" });
  expect(found.length).toBe(500);
});

test("a build's error names the option that brought the file in", async () => {
  const tree = await fetchSource(await resolveSource(DEBIAN));
  const log = collectDiagnostics(tree);
  log.take("  CC      init/initramfs.o");
  log.take(`${tree}/init/initramfs.c:7:3: error: it is broken`);
  log.take("    7 | it");
  const failed = {
    what: "The build",
    command: { file: "make", args: ["-C", tree] },
    diagnostics: log.found(),
    tail: log.tail,
    noSpace: log.noSpace(),
    tree,
    sourceArch: "x86",
    isOn: (symbol: string) => symbol === "BLK_DEV_INITRD",
  };
  const error = await buildError(failed);
  expect(error.message).toBe(`The build failed: init/initramfs.c:7:3: it is broken
  init/initramfs.c:7:3: error: it is broken
      7 | it
  (in init/initramfs.o, which BLK_DEV_INITRD brought in)`);
  expect(error.hint).toBe(
    `A kernel without BLK_DEV_INITRD does not have that file. Run it again: make -C '${tree}'`,
  );
  expect(error.diagnostics).toMatchObject([{ file: "init/initramfs.c", option: "BLK_DEV_INITRD" }]);

  log.take("as: main.o: No space left on device");
  const full = await buildError({ ...failed, noSpace: log.noSpace() });
  expect(full.code).toBe("KERNEL_NO_SPACE");
  expect(full.message).toBe(
    "The build failed: no space is left on the disk\n  as: main.o: No space left on device",
  );
  const nothing = await buildError({ ...failed, diagnostics: [], tail: ["make: *** [x] Error 1"] });
  expect(nothing.message).toBe("The build failed\n  make: *** [x] Error 1");
});

test("each line of a fault can be foreign", async () => {
  // Whatever this machine's programs print, nothing is thrown.
  const { stdout } = await promisify(execFile)("head", ["-c", "300000", process.execPath], {
    encoding: "latin1",
    maxBuffer: 1 << 20,
  });
  const log = collectDiagnostics("/tree");
  for (const line of stdout.split("\n")) log.take(line);
  expect(log.tail.length).toBe(15);
});
