import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { type CpioInput, encodeCpio, packCpio } from "../src/index.ts";

const SAMPLE: CpioInput[] = [
  { type: "directory", name: "dev" },
  { type: "character", name: "dev/console", rdev: { major: 5, minor: 1 } },
  { type: "file", name: "init", mode: 0o755, data: "#!/bin/sh\n" },
  { type: "link", name: "linuxrc", linkTo: "init" },
  { type: "symlink", name: "bin", target: "usr/bin" },
];

describe("packCpio", () => {
  it.each(["newc", "crc"] as const)("writes what GNU cpio lists (%s)", async (format) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of packCpio(SAMPLE, { format })) chunks.push(chunk);
    const archive = Buffer.concat(chunks);
    expect(archive).toEqual(Buffer.from(encodeCpio(SAMPLE, { format })));
    const listing = execFileSync("cpio", ["-t", "--quiet"], { input: archive, encoding: "utf8" });
    expect(listing).toBe("dev\ndev/console\ninit\nlinuxrc\nbin\n");
  });
});
