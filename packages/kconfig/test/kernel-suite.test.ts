import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { kernelTree } from "./reference/kernel-tree.ts";

const run = promisify(execFile);
const cli = join(import.meta.dirname, "../src/cli.ts");
const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

// The kernel's own tests of conf: warnings, exit statuses and whole conversations. They take the conf that lies in
// scripts/kconfig of the current directory.
test.each([
  ["6.1", 17],
  ["6.12", 16],
] as const)(
  "the tests of conf in Linux %s pass with ours in its place, all %i",
  { timeout: 600_000 },
  async (series, count) => {
    const tree = kernelTree(series).directory;
    const directory = mkdtempSync(join(tmpdir(), "kconfig-suite-"));
    made.push(directory);
    mkdirSync(join(directory, "scripts/kconfig"), { recursive: true });
    const conf = join(directory, "scripts/kconfig/conf");
    writeFileSync(conf, `#!/bin/sh\nexec '${process.execPath}' '${cli}' conf "$@"\n`);
    chmodSync(conf, 0o755);
    const suite = join(tree, "scripts/kconfig/tests");
    const plugins = ["-p", "no:cacheprovider", "-p", "patient_keys"];
    const { stdout } = await run("python3", ["-B", "-m", "pytest", "-q", ...plugins, suite], {
      cwd: directory,
      env: {
        ...process.env,
        PYTHONPATH: join(import.meta.dirname, "reference"),
        // The tests' own trees have no sources of conf that tell which rules hold.
        KCONFIG_DIALECT: tree,
        KCONFIG_ANSWERS: "",
      },
    }).catch((error: { stdout: string; stderr: string }) => error);
    expect(stdout).toMatch(new RegExp(`\\b${count} passed`));
    expect(stdout).not.toMatch(/failed|error/i);
  },
);
