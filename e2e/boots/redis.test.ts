import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../../packages/kernel/test/support/free-port.ts";
import { appliance, marked } from "../lib/command.ts";

afterAll(() => appliance(["stop", "examples/redis"]));

test("redis answers through a forwarded port, reports while it runs, and stops without a trace", async () => {
  const port = await freePort();
  const run = await appliance(["run", "examples/redis", "--detach", "--forward", `${port}:6379`]);
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.left, "a detached machine runs on").not.toEqual([]);

  const redis = async (...args: string[]): Promise<string> =>
    (await execa("redis-cli", ["-p", String(port), ...args])).stdout;
  expect(await redis("ping")).toBe("PONG");
  expect(await redis("set", "just", "enough")).toBe("OK");
  expect(await redis("get", "just")).toBe("enough");
  expect(await redis("info", "server")).toMatch(/os:Linux 6\.12/);

  const listed = await appliance(["ps"]);
  expect(listed.stdout).toContain("redis");

  const stopped = await appliance(["stop", "examples/redis"]);
  expect(stopped.exitCode, stopped.stderr).toBe(0);
  await expect(redis("ping")).rejects.toThrow(/refused/);
  const id = run.id;
  expect(marked(id)).toEqual([]);
});
