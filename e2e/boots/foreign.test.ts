import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "@justenough-dev/tools/workspace";
import { afterAll, expect, test } from "vitest";
import { appliance } from "../lib/command.ts";

const directory = mkdtempSync(join(tmpdir(), "e2e-foreign-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

// Program and /init by cross compilers, riscv64's kernel too, the machine emulated. A kernel of arm64 is built by
// acceptance/run-acceptance.ts, since one takes minutes; Debian has one for it, as it has none for riscv64.
test.each([
  ["arm64", "aarch64", "distro", String.raw`\d\S+-cloud-arm64`],
  ["riscv64", "riscv64", "debian", String.raw`6\.12\.\d+`],
])("the hello of %s runs, reports and switches off", async (arch, machine, kernel, release) => {
  const spec = join(directory, `${arch}.yaml`);
  copyFileSync(join(root, "examples/hello/hello.c"), join(directory, "hello.c"));
  writeFileSync(
    spec,
    `name: hello\narch: ${arch}\nrun: [/bin/hello]\nprograms: [{ compile: hello.c, target: /bin/hello, flags: [-Os, -static] }]\n` +
      // With what agent.test.ts needs: one kernel of riscv64 for both.
      (arch === "riscv64" ? "kernel: { features: [ptys, virtio-console] }\n" : ""),
  );
  const run = await appliance(["run", spec, "--kernel", kernel]);
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.stdout).toMatch(new RegExp(`^Hello from hello, running Linux ${release} on ${machine}\n$`));
  expect(run.stderr).toMatch(/^modules loaded +0$/m);
  expect(run.left).toEqual([]);
});
