import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inspectUki, readPe, streamSection, UkiError } from "../src/index.ts";
import { craftPe, text } from "./support/craft-pe.ts";
import { gather } from "./support/gather.ts";

const u16 = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint16(at, value, true);
  return copy;
};
const u32 = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
};

test.each([
  [0x014c, "ia32", false],
  [0x01c2, "arm32", false],
  [0x5064, "riscv64", true],
  [0x6264, "loongarch64", true],
  [0x8664, "x64", true],
  [0xaa64, "arm64", true],
  [0x0200, "unknown", true],
] as const)("machine type %i is %s", async (machine, name, plus) => {
  const certificates = { offset: 4096, size: 8 };
  const pe = await readPe(craftPe({ machine, plus, certificates, dllCharacteristics: 0x160 }));
  expect(pe).toMatchObject({
    machine: name,
    machineCode: machine,
    format: plus ? "PE32+" : "PE32",
    subsystem: 10,
    checksum: 0xdead,
    dllCharacteristics: 0x160,
    fileAlignment: 512,
    sectionAlignment: 4096,
    certificates,
  });
  expect(pe.sections.map((section) => section.name)).toEqual([".text", ".sdmagic"]);
  expect((await readPe(craftPe({ machine, plus }))).certificates).toBeUndefined();
});

test("a section is its bytes without padding, and no more than the file holds of it", async () => {
  const file = craftPe({
    sections: [
      { name: ".a", bytes: text("first") },
      { name: ".b", bytes: text("larger in memory"), virtualSize: 5000 },
      { name: ".old", bytes: text("no size"), virtualSize: 0 },
      { name: ".bss", virtualSize: 4096 },
      { name: ".a", bytes: text("second") },
      { name: "eightchr", bytes: text("8") },
    ],
  });
  const content = async (name: string): Promise<string> =>
    (await gather(streamSection(file, name))).toString("latin1");
  expect(await content(".a")).toBe("first");
  expect(await content(".b")).toBe("larger in memory".padEnd(512, "\0"));
  expect(await content(".old")).toBe("no size".padEnd(512, "\0"));
  expect(await content(".bss")).toBe("");
  expect(await content("eightchr")).toBe("8");
  await expect(content(".c")).rejects.toMatchObject({
    code: "UKI_NO_SECTION",
    hint: expect.stringContaining('".bss"'),
  });
});

test("texts are cut at a NUL and decoded; os-release as a shell would read it", async () => {
  const summary = await inspectUki(
    craftPe({
      sections: [
        { name: ".osrel", bytes: text(`ID=x\n# no\nNAME='a b'\nPRETTY_NAME="a \\"b\\" \\$c"\nbad line\n`) },
        { name: ".cmdline", bytes: text("größe=1\0junk") },
        { name: ".uname", bytes: text("6.1") },
        { name: ".sdmagic", bytes: text("#### LoaderInfo: systemd-stub 252 ####\0") },
      ],
    }),
  );
  expect(summary).toMatchObject({
    machine: "x64",
    signed: false,
    stub: "systemd-stub 252",
    cmdline: "größe=1",
    uname: "6.1",
    osRelease: { ID: "x", NAME: "a b", PRETTY_NAME: 'a "b" $c' },
  });
  expect(Object.keys(summary.osRelease ?? {})).toHaveLength(3);
});

const good = craftPe();
const OPTIONAL = 0x80 + 24;
test.each<[string, Uint8Array, string]>([
  ["nothing", new Uint8Array(0), "UKI_NOT_PE"],
  ["a script", text("#!/bin/sh\n".repeat(20)), "UKI_NOT_PE"],
  ["a DOS program", u32(good, 0x3c, 0), "UKI_NOT_PE"],
  ["a PE header beyond the end", u32(good, 0x3c, 0xffff_fff0), "UKI_TRUNCATED"],
  [
    "a PE header far away",
    u32(new Uint8Array([...good, ...new Uint8Array(80_000)]), 0x3c, 70_000),
    "UKI_TOO_LARGE",
  ],
  ["only its first bytes", good.subarray(0, 300), "UKI_TRUNCATED"],
  ["an object file", u16(good, 0x80 + 20, 0), "UKI_UNSUPPORTED"],
  ["a ROM image", u16(good, OPTIONAL, 0x107), "UKI_UNSUPPORTED"],
  ["a short optional header", u16(good, 0x80 + 20, 100), "UKI_MALFORMED"],
  ["too many sections for the file", u16(good, 0x80 + 6, 0xffff), "UKI_TRUNCATED"],
])("%s is refused", async (_, bytes, code) => {
  const error: unknown = await readPe(bytes).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(UkiError);
  expect(error).toMatchObject({ code });
});

test("texts that are none, and sections that are not in the file, are refused", async () => {
  const huge = craftPe({ sections: [{ name: ".cmdline", bytes: new Uint8Array(70_000) }] });
  await expect(inspectUki(huge)).rejects.toMatchObject({ code: "UKI_TOO_LARGE" });
  const file = craftPe({ sections: [{ name: ".cmdline", bytes: text("quiet") }] });
  const outside = u32(file, OPTIONAL + 240 + 20, 0xffff_ffff);
  await expect(inspectUki(outside)).rejects.toMatchObject({ code: "UKI_TRUNCATED" });
  await expect(gather(streamSection(outside, ".cmdline"))).rejects.toMatchObject({ code: "UKI_TRUNCATED" });
});

test("what is no regular file is refused, also a pipe without a writer", async () => {
  const scratch = mkdtempSync(join(tmpdir(), "uki-test-"));
  const pipe = join(scratch, "pipe");
  execFileSync("mkfifo", [pipe]);
  for (const path of ["/", "/dev/null", "/nowhere", pipe])
    await expect(readPe(path)).rejects.toMatchObject({ code: "UKI_FILE" });
  rmSync(scratch, { recursive: true });
});
