import { expect, test } from "vitest";
import { appliance } from "../lib/command.ts";

test("hello runs on a kernel built for it, and nothing is left behind", async () => {
  const run = await appliance(["run", "examples/hello"]);
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.stdout).toMatch(/^Hello from hello, running Linux 6\.12\.\d+ on x86_64\n$/);
  expect(run.stderr).toMatch(/^modules loaded +0$/m);
  expect(run.left).toEqual([]);
});

test("the same program runs on the distribution's kernel", async () => {
  const run = await appliance(["run", "examples/hello", "--kernel", "distro"]);
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.stdout).toMatch(/^Hello from hello, running Linux \S+-cloud-amd64 on x86_64\n$/);
});
