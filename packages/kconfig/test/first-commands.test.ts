import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadKconfig } from "../src/index.ts";
import { firstCommands } from "../src/node/first-commands.ts";
import { nodeHost } from "../src/node/index.ts";
import { shellAnswers } from "../src/node/shell-answers.ts";
import { architectures, confEnvironment } from "./reference/architectures.ts";
import { kernelTree } from "./reference/kernel-tree.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "kconfig-first-"));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe("what a kernel's tree asks first is known before it is read", () => {
  test.each([
    ["6.1", 5],
    ["6.12", 7],
  ] as const)("Linux %s", { timeout: 120_000 }, async (series, count) => {
    const tree = kernelTree(series).directory;
    const x86 = architectures(tree).find(({ arch }) => arch === "x86_64");
    const env = { ...process.env, ...(x86 && confEnvironment(tree, x86)) };
    using host = nodeHost({ env, cwd });
    const asked: string[] = [];
    const ask = <T>(command: string, answer: (command: string) => T): T => {
      asked.push(command);
      return answer(command);
    };
    await loadKconfig({
      srctree: tree,
      host: {
        ...host,
        shell: (command) => ask(command, (text) => host.shell(text)),
        shellSync: (command) => ask(command, (text) => host.shellSync?.(text) ?? ""),
      },
    });
    const known = firstCommands(readFileSync(join(tree, "scripts/Kconfig.include"), "utf8"), {
      ...env,
      srctree: tree,
    });
    expect(known).toHaveLength(count);
    expect(known.filter((command) => !asked.includes(command))).toEqual([]);
  });
});

test("values that are more than names, and forms that are not known, are left alone", () => {
  const include = `cc-info := $(shell,$(srctree)/scripts/cc-version.sh $(CC))
cc-option-bit = $(if-success,$(CC) $(1) -E -x c /dev/null -o /dev/null,$(1))
m32-flag := $(cc-option-bit,-m32)
other := $(shell,$(srctree)/scripts/other.sh $(CC))
`;
  expect(firstCommands(include, { srctree: "/t", CC: "gcc; rm x" })).toEqual([]);
  expect(firstCommands(include, { srctree: "/t", CC: "gcc" })).toEqual(["/t/scripts/cc-version.sh gcc"]);
});

test("asked ahead, a command that complains is asked again in its turn", async () => {
  using answers = shellAnswers({ cwd });
  await answers.ahead(["echo said", "echo told; echo complaint >&2", "no-such-program"]);
  expect(answers.recall("echo said")).toBe("said\n");
  expect(answers.recall("echo told; echo complaint >&2")).toBeUndefined();
  expect(answers.recall("no-such-program")).toBeUndefined();
});
