import { expect, test } from "vitest";
import { parseTftp } from "../src/index.ts";
import { fuzzTftp } from "./tftp/fuzz-tftp.ts";

test("100,000 damaged packets: never an exception, and a minute later nothing is left of them", async () => {
  const report = await fuzzTftp(100_000);
  console.log(`TFTP fuzz: FUZZ_SEED=${report.seed}`);
  // Deep enough to mean something, and bounded.
  expect(report.complete).toBeGreaterThan(100);
  expect(report.answers).toBeGreaterThan(10_000);
  expect(report.most).toBeGreaterThan(20);
  expect(report.most).toBeLessThanOrEqual(256);
  expect(report.left).toBe(0);
});

test("no start of a packet is too short for the parser", () => {
  for (let opcode = 0; opcode < 256; opcode++) {
    for (let length = 0; length < 8; length++) {
      const bytes = new Uint8Array(length).fill(opcode);
      bytes[0] = 0;
      expect(typeof parseTftp(bytes).ok).toBe("boolean");
    }
  }
});
