import { expect, test } from "vitest";
import { marked, start } from "../lib/command.ts";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const machines = (id: string): readonly string[] => marked(id).filter((line) => line.includes("qemu-system"));

async function running(): Promise<{ id: string; started: ReturnType<typeof start> }> {
  const started = start(["run", "examples/shell", "--", "sh", "-c", "echo up; sleep 600"]);
  await new Promise<void>((resolve, reject) => {
    started.child.stdout?.on("data", () => resolve());
    started.ended.then((run) => reject(new Error(`It ended: ${run.stderr}`)), reject);
  });
  expect(machines(started.id).length).toBeGreaterThan(0);
  return { id: started.id, started };
}

test("SIGKILL of the runner leaves no QEMU after 2 s", async () => {
  const { id, started } = await running();
  started.child.kill("SIGKILL");
  await sleep(2000);
  expect(marked(id)).toEqual([]);
});

test("Ctrl-C ends the machine, cleans up and exits 130", async () => {
  const { started } = await running();
  started.child.kill("SIGINT");
  const run = await started.ended;
  expect(run.exitCode).toBe(130);
  expect(run.left).toEqual([]);
});
