import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { runTest } from "../src/minimize/run-test.ts";

const how = { cwd: tmpdir(), env: { PORT_80: "8080" } };

test("a test is asked in the spec's directory, and told the ports", async () => {
  expect(await runTest("pwd; echo on $PORT_80; exit 3", how)).toEqual({ status: 3, text: "on 8080" });
  expect((await runTest("pwd", how)).text).toBe(tmpdir());
});

test("what a test has started ends with it when its time is over, and when nobody wants to know any more", async () => {
  const began = performance.now();
  const slow = "echo waiting; sleep 60 | cat";
  expect(await runTest(slow, { ...how, timeout: 300 })).toEqual({ status: null, text: "waiting" });
  expect((await runTest(slow, { ...how, signal: AbortSignal.timeout(300) })).status).toBeNull();
  expect(performance.now() - began).toBeLessThan(30_000);
});
