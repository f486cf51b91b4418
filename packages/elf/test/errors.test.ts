import { describe, expect, it } from "vitest";
import {
  bufferSource,
  ElfError,
  type ElfErrorCode,
  findDlopen,
  openElf,
  parseModuleInfo,
  readDynamic,
  readElf,
  readInterpreter,
  readNotes,
  readSection,
  readSections,
} from "../src/index.ts";
import { craftElf, type CraftOptions } from "./craft.ts";

const TARGET = { class: 64, endianness: "little", machineCode: 62, typeCode: 3 } as const;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function crafted(more: Partial<CraftOptions>, patch: (view: DataView) => void = () => {}): Uint8Array {
  const bytes = craftElf({ ...TARGET, ...more });
  patch(new DataView(bytes.buffer));
  return bytes;
}

function codeOf(action: () => unknown): ElfErrorCode {
  try {
    action();
  } catch (error) {
    if (error instanceof ElfError) return error.code;
    throw error;
  }
  throw new Error("no error was thrown");
}

const PROGRAM = { interpreter: "/lib/ld.so", dynamic: [[1n, "libc.so.6"]] } as const;
// Program headers start at 64 with 56 bytes each: PT_LOAD, PT_INTERP, PT_DYNAMIC.
const INTERP = 64 + 56;
const DYNAMIC = INTERP + 56;

describe("errors", () => {
  it.each<[string, ElfErrorCode, Uint8Array]>([
    ["an empty file", "ELF_NOT_ELF", new Uint8Array(0)],
    ["a script", "ELF_NOT_ELF", text("#!/bin/sh\n")],
    ["a linker script", "ELF_NOT_ELF", text("/* GNU ld script */ GROUP ( libc.so.6 )")],
    ["a file that ends inside the header", "ELF_TRUNCATED", crafted(PROGRAM).slice(0, 40)],
    ["four bytes of magic", "ELF_TRUNCATED", crafted(PROGRAM).slice(0, 4)],
    ["an unknown class", "ELF_UNSUPPORTED", crafted(PROGRAM, (view) => view.setUint8(4, 3))],
    ["an unknown byte order", "ELF_UNSUPPORTED", crafted(PROGRAM, (view) => view.setUint8(5, 0))],
    ["an unknown version", "ELF_UNSUPPORTED", crafted(PROGRAM, (view) => view.setUint32(20, 2, true))],
    [
      "program headers beyond the end",
      "ELF_TRUNCATED",
      crafted(PROGRAM, (view) => view.setUint16(56, 9000, true)),
    ],
    [
      "program headers at 2^64 - 1",
      "ELF_TRUNCATED",
      crafted(PROGRAM, (view) => view.setBigUint64(32, 2n ** 64n - 1n, true)),
    ],
    ["program headers too small", "ELF_MALFORMED", crafted(PROGRAM, (view) => view.setUint16(54, 8, true))],
    [
      "an interpreter beyond the end",
      "ELF_TRUNCATED",
      crafted(PROGRAM, (view) => view.setBigUint64(INTERP + 8, 1n << 40n, true)),
    ],
    [
      "an interpreter without its NUL",
      "ELF_MALFORMED",
      crafted(PROGRAM, (view) => view.setBigUint64(INTERP + 32, 4n, true)),
    ],
    [
      "an interpreter that is too long",
      "ELF_TOO_LARGE",
      crafted(PROGRAM, (view) => view.setBigUint64(INTERP + 32, 1n << 62n, true)),
    ],
    [
      "a dynamic section beyond the end",
      "ELF_TRUNCATED",
      crafted(PROGRAM, (view) => view.setBigUint64(DYNAMIC + 8, 1n << 50n, true)),
    ],
    ["a name beyond the string table", "ELF_MALFORMED", crafted({ dynamic: [[1n, 4000n]] })],
    ["a name index of 2^63", "ELF_MALFORMED", crafted({ dynamic: [[1n, 2n ** 63n]] })],
    [
      "a string table at no address",
      "ELF_MALFORMED",
      crafted(PROGRAM, (view) => view.setBigUint64(80, 0n, true)),
    ],
  ])("refuses %s", (_, code, bytes) => {
    expect(codeOf(() => readElf(bytes))).toBe(code);
  });

  it("refuses many references to one long string", () => {
    const dynamic = Array.from({ length: 30_000 }, () => [1n, 1n] as const);
    const bytes = crafted({ dynamic: [[14n, "x".repeat(15_000)], ...dynamic] });
    expect(codeOf(() => readElf(bytes))).toBe("ELF_TOO_LARGE");
  });

  it("refuses damaged sections, and only who asks for them is troubled", () => {
    const sections = [{ name: ".modinfo", bytes: text("a=b\0") }];
    const bytes = crafted({ ...PROGRAM, sections }, (view) => view.setUint16(60, 9000, true));
    expect(readElf(bytes).dynamic?.needed).toEqual(["libc.so.6"]);
    expect(codeOf(() => readSections(openElf(bytes)))).toBe("ELF_TRUNCATED");
    const noNames = crafted({ sections }, (view) => view.setUint16(62, 77, true));
    expect(codeOf(() => readSection(openElf(noNames), ".modinfo"))).toBe("ELF_MALFORMED");
    const small = crafted({ sections }, (view) => view.setUint16(58, 1, true));
    expect(codeOf(() => readSections(openElf(small)))).toBe("ELF_MALFORMED");
  });

  it("refuses notes that exceed their segment", () => {
    const notes = [{ owner: "GNU", type: 3, desc: text("12345678") }];
    const size = crafted({ notes }).length - 24;
    const bytes = crafted({ notes }, (view) => view.setUint32(size + 4, 0xffff_fff0, true));
    expect(codeOf(() => readNotes(openElf(bytes)))).toBe("ELF_MALFORMED");
  });

  it.each([
    "",
    "{",
    "[1]",
    "{}",
    '{"soname":[]}',
    '{"soname":[1]}',
    '{"soname":"a","priority":"must"}',
    "\u0000",
  ])("refuses a dlopen note of %j", (json) => {
    const notes = [{ owner: "FDO", type: 0x407c_0c0a, desc: text(json) }];
    expect(codeOf(() => findDlopen(notes))).toBe("ELF_MALFORMED");
  });

  it("refuses module information without a key", () => {
    expect(codeOf(() => parseModuleInfo(text("license=GPL\0nonsense\0")))).toBe("ELF_MALFORMED");
    expect(parseModuleInfo(new Uint8Array(0))).toEqual([]);
  });

  it("notices a source that gives other bytes than asked for", () => {
    const bytes = crafted(PROGRAM);
    const source = { size: bytes.length, read: () => new Uint8Array(3) };
    expect(codeOf(() => readElf(source))).toBe("ELF_SOURCE");
  });

  it("passes the errors of a source unchanged", () => {
    const failure = new Error("disk on fire");
    const source = {
      size: 100,
      read(): Uint8Array {
        throw failure;
      },
    };
    expect(() => readElf(source)).toThrow(failure);
  });

  it("gives undefined and nothing for what is not there", () => {
    const elf = openElf(bufferSource(crafted({})));
    expect(readInterpreter(elf)).toBeUndefined();
    expect(readDynamic(elf)).toBeUndefined();
    expect(readNotes(elf)).toEqual([]);
    expect(readSections(elf)).toEqual([]);
    expect(readSection(elf, ".modinfo")).toBeUndefined();
  });
});
