import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { wakefulLoop } from "../src/internal/wakeful-loop.ts";

const busy = (): boolean => process.getActiveResourcesInfo().includes("Immediate");

test("looks without sleeping for as long as it was told, and then sleeps again", async () => {
  const loop = wakefulLoop();
  const end = performance.now() + 30;
  loop.until(end);
  // An earlier end takes nothing back.
  loop.until(end - 20);
  const awake: boolean[] = [];
  while (performance.now() < end - 10) {
    await delay(2);
    if (performance.now() < end) awake.push(busy());
  }
  expect(awake).not.toContain(false);
  await delay(30);
  expect(busy()).toBe(false);
  loop.until(performance.now() + 10);
  expect(busy()).toBe(true);
  await delay(30);
  expect(busy()).toBe(false);
});
