import { expect, test } from "vitest";
import { appliance } from "../lib/command.ts";

interface Facts {
  readonly distro: boolean;
  readonly processes: { readonly user: number; readonly names: readonly string[] };
  readonly modules: number;
  readonly idle: { readonly interrupts: number };
  readonly kernelSize: number;
  readonly config: { readonly set: number };
  readonly defconfig: { readonly set: number };
}

test("hello runs on a kernel built for it, reports, and leaves nothing behind", async () => {
  const run = await appliance(["run", "examples/hello"]);
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.stdout).toMatch(/^Hello from hello, running Linux 6\.12\.\d+ on x86_64\n$/);
  expect(run.stderr).toMatch(/^modules loaded +0$/m);
  expect(run.left).toEqual([]);

  const again = await appliance(["run", "examples/hello"]);
  expect(again.exitCode, again.stderr).toBe(0);
  expect(again.stderr, "nothing is built again").toMatch(/^report /);
});

test("the same program runs on the distribution's kernel", async () => {
  const run = await appliance(["run", "examples/hello", "--kernel", "distro"]);
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.stdout).toMatch(/^Hello from hello, running Linux \S+-cloud-amd64 on x86_64\n$/);
});

test("the report shows a small and quiet system beside the distribution's kernel", async () => {
  const table = await appliance(["report", "examples/hello"]);
  expect(table.exitCode, table.stderr).toBe(0);
  expect(table.stdout).toMatch(/^report +hello +hello, the distribution's kernel$/m);

  const measure = async (): Promise<Facts> => {
    const { stdout } = await appliance(["report", "examples/hello", "--json"]);
    const { columns: systems } = JSON.parse(stdout) as { columns: readonly [Facts, Facts] };
    expect(systems.map(({ distro }) => distro)).toEqual([false, true]);
    return systems[0];
  };
  // A busy host takes the processor away amid the guest's own work, and its clock ticks as long: then once more.
  let own = await measure();
  for (let again = 0; again < 2 && own.idle.interrupts > 15; again += 1) own = await measure();
  expect(own.modules).toBe(0);
  expect(own.processes.names.filter((name) => name !== "init").length).toBeLessThanOrEqual(1);
  expect(own.idle.interrupts).toBeLessThanOrEqual(15);
  expect(own.kernelSize).toBeLessThan(1_000_000);
  expect(own.config.set / own.defconfig.set).toBeLessThan(0.35);
});
