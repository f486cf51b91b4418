import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "@justenough-dev/tools/workspace";
import { afterAll, expect, test } from "vitest";
import { appliance } from "../lib/command.ts";

const directory = mkdtempSync(join(tmpdir(), "e2e-foreign-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

// Program and /init by cross compilers, the machine emulated, the kernels Debian's: those of our own are booted by
// acceptance/run-acceptance.ts, since one takes minutes to build.
test.each([
  ["arm64", "aarch64", String.raw`\d\S+-cloud-arm64`],
  ["riscv64", "riscv64", String.raw`\d\S+-riscv64`],
])("the hello of %s runs, reports and switches off", async (arch, machine, release) => {
  const spec = join(directory, `${arch}.yaml`);
  copyFileSync(join(root, "examples/hello/hello.c"), join(directory, "hello.c"));
  writeFileSync(
    spec,
    `name: hello\narch: ${arch}\nrun: [/bin/hello]\nprograms: [{ compile: hello.c, target: /bin/hello, flags: [-Os, -static] }]\n`,
  );
  const run = await appliance(["run", spec, "--kernel", "distro"]);
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.stdout).toMatch(new RegExp(`^Hello from hello, running Linux ${release} on ${machine}\n$`));
  expect(run.stderr).toMatch(/^modules loaded +0$/m);
  expect(run.left).toEqual([]);
});
