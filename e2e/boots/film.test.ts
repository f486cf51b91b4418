import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appliance } from "../lib/command.ts";
import { decodePng } from "../lib/png.ts";
import { screenText } from "../lib/screen-text.ts";

test("--film leaves pictures of the boot whose text can be read, the program's greeting in the last", async () => {
  const directory = mkdtempSync(join(tmpdir(), "justenough-film-"));
  try {
    const run = await appliance(["run", "examples/hello", "--film", directory]);
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/^Hello from hello/);
    const frames = readdirSync(directory)
      .filter((name) => name.endsWith(".png"))
      .toSorted();
    expect(frames.length).toBeGreaterThan(2);
    const texts = frames.map((name) => screenText(decodePng(readFileSync(join(directory, name)))).join("\n"));
    expect(texts.join("\n")).toContain("Run /init as init process");
    expect(texts.at(-1)).toMatch(/^Hello from hello, running Linux 6\.12/m);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
