import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readElf } from "../src/index.ts";

describe("readElf", () => {
  it("reads a dynamic program of this machine", () => {
    const { class: elfClass, dynamic, interpreter } = readElf(readFileSync(process.execPath));
    expect(elfClass).toBe(64);
    expect(interpreter).toMatch(/^\/lib.*ld-linux/);
    expect(dynamic?.needed).toContain("libc.so.6");
  });
});
