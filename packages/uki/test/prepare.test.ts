import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  findStub,
  inspectUki,
  prepareUki,
  readKernelImage,
  readPe,
  streamSection,
  type UkiOptions,
  writeUki,
} from "../src/index.ts";
import { craftBzImage, craftPe, text } from "./support/craft-pe.ts";
import { gather } from "./support/gather.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "uki-test-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function file(name: string, content: Uint8Array): Promise<string> {
  await writeFile(join(scratch, name), content);
  return join(scratch, name);
}

const kernel = craftBzImage("6.1.0-test", { dllCharacteristics: 0x100 });
const stub = craftPe({ dllCharacteristics: 0x160 });
const base: UkiOptions = { kernel, stub, cmdline: "console=ttyS0 ä", initrd: [text("12345"), text("678")] };
const bytesOf = async (options: UkiOptions): Promise<Buffer> => gather((await prepareUki(options)).stream());

/** toEqual() would print both. */
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe("the bytes", () => {
  test("hold each part in its section, the initramfs last, parts at multiples of four", async () => {
    const bytes = await bytesOf({ ...base, sections: { ".dtb": text("tree") } });
    const pe = await readPe(bytes);
    expect(pe.sections.map(({ name }) => name)).toEqual([
      ".text",
      ".sdmagic",
      ".osrel",
      ".uname",
      ".cmdline",
      ".dtb",
      ".linux",
      ".initrd",
    ]);
    const section = (name: string): Promise<Buffer> => gather(streamSection(bytes, name));
    expect(same(await section(".linux"), kernel)).toBe(true);
    expect((await section(".initrd")).toString("latin1")).toBe("12345\0\0\u0000678");
    expect((await section(".dtb")).toString()).toBe("tree");
    expect((await section(".uname")).toString()).toBe("6.1.0-test");
    expect((await section(".cmdline")).toString()).toBe("console=ttyS0 ä");
    expect((await inspectUki(bytes)).osRelease).toEqual({
      ID: "linux",
      NAME: "Linux",
      PRETTY_NAME: "Linux 6.1.0-test",
      VERSION_ID: "6.1.0-test",
    });
  });

  test.each<[string, UkiOptions]>([
    ["a common stub", base],
    ["small pages and file blocks", { ...base, stub: craftPe({ sectionAlignment: 512, fileAlignment: 32 }) }],
    ["large ones", { ...base, stub: craftPe({ sectionAlignment: 65_536, fileAlignment: 4096 }) }],
    [
      "32 bits",
      {
        ...base,
        stub: craftPe({ machine: 0x14c, plus: false }),
        kernel: craftBzImage("5", { machine: 0x14c, plus: false }),
      },
    ],
    [
      "uninitialized data last",
      {
        ...base,
        stub: craftPe({
          sections: [
            { name: ".text", bytes: text("x") },
            { name: ".bss", virtualSize: 100_000 },
          ],
        }),
      },
    ],
  ])("obey the format's rules with %s", async (_, options) => {
    const uki = await prepareUki(options);
    const bytes = await gather(uki.stream());
    expect(bytes.length).toBe(uki.size);
    const pe = await readPe(bytes);
    expect(pe.sections).toEqual(uki.sections);
    expect(pe.checksum).toBe(0);
    const before = await readPe(options.stub as Uint8Array);
    expect(pe.sizeOfImage % pe.sectionAlignment).toBe(0);
    expect(pe.sizeOfHeaders).toBe(before.sizeOfHeaders);
    let [memory, disk] = [pe.sizeOfHeaders, pe.sizeOfHeaders];
    for (const { virtualAddress, virtualSize, rawOffset, rawSize } of pe.sections) {
      expect(virtualAddress).toBeGreaterThanOrEqual(memory);
      expect(virtualAddress % pe.sectionAlignment).toBe(0);
      memory = virtualAddress + virtualSize;
      if (rawSize === 0) continue;
      expect(rawOffset).toBeGreaterThanOrEqual(disk);
      expect([rawOffset % pe.fileAlignment, rawSize % pe.fileAlignment]).toEqual([0, 0]);
      disk = rawOffset + rawSize;
    }
    expect(disk).toBe(bytes.length);
    expect(memory).toBeLessThanOrEqual(pe.sizeOfImage);
    expect(pe.sizeOfImage - memory).toBeLessThan(pe.sectionAlignment);
    // The stub itself is as it was.
    for (const [index, section] of before.sections.entries()) expect(pe.sections[index]).toEqual(section);
    const [from, to] = [before.sizeOfHeaders, options.stub?.length];
    expect(same(bytes.subarray(from, to), (options.stub as Uint8Array).subarray(from, to))).toBe(true);
  });

  test("are the same each time, from files and from memory, in any ranges", async () => {
    const whole = await bytesOf(base);
    const paths = {
      ...base,
      kernel: await file("kernel", kernel),
      stub: await file("stub", stub),
      initrd: [await file("a.cpio", text("12345")), await file("b.cpio", text("678"))],
    };
    expect(same(await bytesOf(paths), whole)).toBe(true);
    const uki = await prepareUki(paths);
    await using reader = await uki.open();
    for (const step of [1, 7, 511, 512, 4096, 1 << 20]) {
      const parts: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += step) parts.push(await reader.read(at, step));
      expect(same(Buffer.concat(parts), whole)).toBe(true);
    }
    expect(same(await gather(uki.stream({ start: 100, end: 2000 })), whole.subarray(100, 2000))).toBe(true);
    expect(await gather(uki.stream({ start: whole.length - 3, end: 1e9 }))).toEqual(whole.subarray(-3));
    expect(await reader.read(whole.length, 10)).toHaveLength(0);
  });

  test("what is added to the initramfs changes nothing else", async () => {
    const uki = await prepareUki(base);
    const more = await uki.withInitrd([text("for this machine"), new Uint8Array(5000)]);
    const bytes = await gather(more.stream());
    const initrd = [...(base.initrd ?? []), text("for this machine"), new Uint8Array(5000)];
    expect(same(bytes, await bytesOf({ ...base, initrd }))).toBe(true);
    expect(more.size).toBe(bytes.length);
    expect(more.sections.slice(0, -1)).toEqual(uki.sections.slice(0, -1));
    expect((await gather(streamSection(bytes, ".initrd"))).subarray(0, 28).toString("latin1")).toBe(
      "12345\0\0\u0000678\0for this machine",
    );
    const { sizeOfHeaders } = await readPe(bytes);
    const end = uki.sections.at(-1)?.rawOffset;
    const before = await gather(uki.stream({ start: sizeOfHeaders, end }));
    expect(same(bytes.subarray(sizeOfHeaders, end), before)).toBe(true);
    // Also to an image that had none.
    const { initrd: _, ...without } = base;
    const none = await prepareUki(without);
    expect(none.sections.at(-1)?.name).toBe(".linux");
    expect((await none.withInitrd([text("x")])).sections.at(-1)?.name).toBe(".initrd");
  });

  test("promise no more of memory protection than the kernel keeps", async () => {
    expect((await readPe(await bytesOf(base))).dllCharacteristics).toBe(0x160);
    const old = await bytesOf({ ...base, kernel: craftBzImage("5.10") });
    expect((await readPe(old)).dllCharacteristics).toBe(0x60);
  });

  test("what is behind the stub's last section is left out", async () => {
    const long = new Uint8Array([...stub, ...text("symbols")]);
    new DataView(long.buffer).setUint32(0x80 + 12, stub.length, true);
    new DataView(long.buffer).setUint32(0x80 + 16, 7, true);
    expect(same(await bytesOf({ ...base, stub: long }), await bytesOf(base))).toBe(true);
  });
});

describe("the headers", () => {
  const tight = (sizeOfHeaders: number, firstRaw: number): Uint8Array => craftPe({ sizeOfHeaders, firstRaw });
  // Two sections end at 0x80 + 24 + 240 + 80 = 472; five more at 672.
  test("grow where there is space before the first section", async () => {
    const bytes = await bytesOf({ ...base, stub: tight(512, 1024) });
    expect((await readPe(bytes)).sizeOfHeaders).toBe(1024);
    expect((await readPe(bytes)).sections).toHaveLength(7);
  });

  test("have no room otherwise, which is said with numbers", async () => {
    await expect(prepareUki({ ...base, stub: tight(512, 512) })).rejects.toMatchObject({
      code: "UKI_NO_ROOM",
      message: expect.stringMatching(/no room for 5 more sections: there is space for 1/),
    });
    const used = tight(512, 1024);
    // The filling of an assembler for arm64 is nobody's.
    for (let at = 472; at < 1024; at += 4) used.set([0x1f, 0x20, 0x03, 0xd5], at);
    const { sections } = await prepareUki({ ...base, stub: used });
    expect((await readPe(await bytesOf({ ...base, stub: used }))).sections).toEqual(sections);
    used[640] = 1;
    await expect(prepareUki({ ...base, stub: used })).rejects.toMatchObject({
      code: "UKI_NO_ROOM",
      message: expect.stringMatching(/in use$/),
    });
  });

  test("have at most 96 sections, which is all that firmware takes", async () => {
    const sections = Array.from({ length: 92 }, (_, index) => ({ name: `.s${index}`, bytes: text("x") }));
    await expect(prepareUki({ ...base, stub: craftPe({ sections }) })).rejects.toMatchObject({
      code: "UKI_NO_ROOM",
      message: expect.stringMatching(/there would be 97, and firmware takes 96$/),
    });
  });
});

test("an image of gigabytes is laid out without being read, one beyond four refused", async () => {
  const large = join(scratch, "large");
  const size = 0xf000_0001;
  await writeFile(large, "");
  await truncate(large, size);
  const uki = await prepareUki({ ...base, initrd: [large, text("behind")] });
  const { rawOffset = 0 } = uki.sections.at(-1) ?? {};
  await using reader = await uki.open();
  expect(Buffer.from(await reader.read(rawOffset + size, 9)).toString("latin1")).toBe("\0\0\0behind");
  expect(uki.size).toBeGreaterThan(rawOffset + size);
  await expect(uki.withInitrd([large])).rejects.toMatchObject({ code: "UKI_TOO_LARGE" });
});

describe("refused", () => {
  const set = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
    const copy = bytes.slice();
    new DataView(copy.buffer).setUint32(at, value, true);
    return copy;
  };
  const OPTIONAL = 0x80 + 24;
  test.each<[string, Partial<UkiOptions>, string, RegExp]>([
    [
      "a kernel that is no EFI program",
      { kernel: text("\u001f\u008b") },
      "UKI_KERNEL_UNSUITABLE",
      /no PE file/,
    ],
    [
      "a stub for another machine",
      { stub: craftPe({ machine: 0xaa64 }) },
      "UKI_STUB_UNSUITABLE",
      /x64.*arm64/,
    ],
    ["a stub that is no PE file", { stub: text("x") }, "UKI_STUB_UNSUITABLE", /no PE file/],
    ["a stub that is a driver", { stub: craftPe({ subsystem: 11 }) }, "UKI_STUB_UNSUITABLE", /subsystem 11/],
    [
      "a stub that is an image already",
      { stub: craftPe({ sections: [{ name: ".linux", bytes: text("x") }] }) },
      "UKI_STUB_UNSUITABLE",
      /holds a kernel/,
    ],
    [
      "a stub with a section of ours",
      { stub: craftPe({ sections: [{ name: ".osrel", bytes: text("x") }] }) },
      "UKI_SECTION_INVALID",
      /two sections ".osrel"/,
    ],
    [
      "a signed stub",
      { stub: craftPe({ certificates: { offset: 4096, size: 8 } }) },
      "UKI_STUB_UNSUITABLE",
      /signed/,
    ],
    ["a stub without sections", { stub: craftPe({ sections: [] }) }, "UKI_STUB_UNSUITABLE", /no sections/],
    [
      "a stub of empty sections",
      { stub: craftPe({ sections: [{ name: ".bss", virtualSize: 9 }] }) },
      "UKI_STUB_UNSUITABLE",
      /no sections/,
    ],
    ["a stub cut off", { stub: stub.subarray(0, -1) }, "UKI_STUB_UNSUITABLE", /end at/],
    [
      "a file alignment that is none",
      { stub: set(stub, OPTIONAL + 36, 3) },
      "UKI_STUB_UNSUITABLE",
      /file alignment is 3/,
    ],
    [
      "a section alignment that is none",
      { stub: set(stub, OPTIONAL + 32, 0) },
      "UKI_STUB_UNSUITABLE",
      /section alignment is 0/,
    ],
    ["headers over sections", { stub: set(stub, OPTIONAL + 60, 8192) }, "UKI_STUB_UNSUITABLE", /overlap/],
    [
      "an image beyond 4 GiB",
      { stub: set(stub, OPTIONAL + 56, 0xffff_f000) },
      "UKI_TOO_LARGE",
      /at most 4294967295/,
    ],
    ["a line break in the command line", { cmdline: "a\nb" }, "UKI_CMDLINE_INVALID", /control character/],
    ["half a character in it", { cmdline: "a\uD800" }, "UKI_CMDLINE_INVALID", /half a character/],
    [
      "more of it than the kernel takes",
      { cmdline: "ä".repeat(1024) },
      "UKI_CMDLINE_INVALID",
      /2048 bytes.*takes 2047/,
    ],
    ["a version with a space", { uname: "6 1" }, "UKI_SECTION_INVALID", /uname -r/],
    [
      "an extra section with an option of its own",
      { sections: { ".linux": text("x") } },
      "UKI_SECTION_INVALID",
      /not given as an extra/,
    ],
    ["a long name", { sections: { ".eightlet": text("x") } }, "UKI_SECTION_INVALID", /no name for a section/],
    [
      "a section that the stub has",
      { sections: { ".text": text("x") } },
      "UKI_SECTION_INVALID",
      /two sections ".text"/,
    ],
    ["an initramfs that is not there", { initrd: ["/nowhere/initrd"] }, "UKI_FILE", /ENOENT/],
    ["a kernel that is a directory", { kernel: "/" }, "UKI_FILE", /not a regular file/],
  ])("%s", async (_, change, code, message) => {
    await expect(prepareUki({ ...base, ...change })).rejects.toMatchObject({
      name: "UkiError",
      code,
      message: expect.stringMatching(message),
    });
  });

  test("a missing stub, with the package's name", async () => {
    const own = { x64: "x64", arm64: "arm64" }[process.arch as "x64"] as "x64";
    await expect(findStub(own, { directory: scratch })).rejects.toMatchObject({
      code: "UKI_STUB_MISSING",
      hint: expect.stringContaining("apt-get install systemd-boot-efi"),
    });
    await expect(findStub("riscv64", { directory: scratch })).rejects.toMatchObject({
      code: "UKI_STUB_MISSING",
      message: expect.stringContaining("linuxriscv64.efi.stub"),
      hint: expect.stringMatching(/systemd-boot-efi of riscv64/),
    });
    await expect(findStub("unknown")).rejects.toMatchObject({ code: "UKI_STUB_MISSING" });
    await expect(prepareUki({ kernel: craftPe({ machine: 0x200 }) })).rejects.toMatchObject({
      code: "UKI_STUB_MISSING",
    });
  });
});

test("a file that changed between preparing and reading is an error, not a mixture", async () => {
  const path = await file("changing", text("12345678"));
  const uki = await prepareUki({ ...base, initrd: [path] });
  await writeFile(path, "123456789");
  await expect(gather(uki.stream())).rejects.toMatchObject({ code: "UKI_FILE_CHANGED" });
  await expect(writeUki(uki, join(scratch, "out.efi"))).rejects.toMatchObject({ code: "UKI_FILE_CHANGED" });
  await writeFile(path, "12345678");
  await using reader = await uki.open();
  await writeFile(path, "123");
  await expect(reader.read(uki.sections.at(-1)?.rawOffset ?? 0, 8)).rejects.toMatchObject({
    code: "UKI_FILE_CHANGED",
  });
  expect((await readdir(scratch)).filter((name) => name.startsWith("out.efi"))).toEqual([]);
});

test("writing replaces the file as a whole, or leaves it", async () => {
  const path = await file("whole.efi", text("old"));
  const uki = await prepareUki(base);
  await expect(writeUki(uki, path, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: "UKI_ABORTED",
  });
  expect(await readFile(path, "utf8")).toBe("old");
  await writeUki(uki, path);
  expect((await readFile(path)).equals(await gather(uki.stream()))).toBe(true);
  await expect(writeUki(uki, join(scratch, "no/such"))).rejects.toMatchObject({ code: "UKI_FILE" });
  expect((await readdir(scratch)).filter((name) => name.endsWith(".part"))).toEqual([]);
});

describe("the kernel's version", () => {
  const plain = (banner: string, at: number): Uint8Array => {
    const bytes = new Uint8Array(2_100_000);
    bytes.set(text("Linux version %s (%s)"), 500);
    bytes.set(text(banner), at);
    return craftPe({ machine: 0xaa64, sections: [{ name: ".text", bytes }] });
  };
  test.each([
    ["a bzImage", craftBzImage("6.12.0-1+deb13-amd64"), "6.12.0-1+deb13-amd64", 2047],
    ["an Image", plain("Linux version 6.1.0-arm64 (x@y) (gcc) #1", 4000), "6.1.0-arm64", undefined],
    [
      "an Image with its banner anywhere",
      plain("Linux version 6.1.0-arm64 (x@y)", (1 << 20) - 1050),
      "6.1.0-arm64",
      undefined,
    ],
    ["a compressed image", craftPe({ machine: 0xaa64 }), undefined, undefined],
  ])("of %s", async (_, bytes, version, maxCmdline) => {
    expect(await readKernelImage(bytes)).toMatchObject({ version, maxCmdline });
  });

  test("given by hand where the image does not tell; without one there is no section", async () => {
    const hidden = { ...base, stub: craftPe({ machine: 0xaa64 }), kernel: craftPe({ machine: 0xaa64 }) };
    expect((await prepareUki({ ...hidden, uname: "6.6-mine" })).kernelVersion).toBe("6.6-mine");
    const bytes = await bytesOf(hidden);
    expect(await inspectUki(bytes)).toMatchObject({ uname: undefined, osRelease: { PRETTY_NAME: "Linux" } });
  });
});
