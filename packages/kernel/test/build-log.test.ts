import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findFault, objectOfLine } from "../src/internal/build-log.ts";
import { run } from "../src/internal/process.ts";

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

test("the compiler's own error is found among what parallel jobs print", async () => {
  const directory = await mkdtemp(join(tmpdir(), "kernel-log-"));
  try {
    await writeFile(join(directory, "bad.c"), "int f(void)\n{\n\treturn missing;\n}\n");
    await writeFile(join(directory, "good.c"), "int g(void) { return 0; }\n");
    await writeFile(
      join(directory, "Makefile"),
      "all: good.o bad.o other\nother:\n\t@sleep 0.2; echo '  CC      other.o'\n",
    );
    const lines: string[] = [];
    const command = { file: "make", args: ["-j3", "-C", directory] };
    const finished = await run(command, { onLine: (line) => lines.push(line) });
    expect(finished.exitCode).toBe(2);
    const fault = findFault(lines);
    expect(fault.summary).toMatch(/^bad\.c:3:\d+: error: .*missing/);
    expect(fault.lines[0]).toBe(fault.summary);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test("without a compiler's error, make's own is taken", () => {
  const lines = [
    "  CC      a.o",
    "make[2]: *** No rule to make target 'x', needed by 'y'.  Stop.",
    "make: *** failed",
  ];
  expect(findFault(lines).summary).toContain("No rule to make target 'x'");
  expect(findFault([]).summary).toBe("no message");
});
