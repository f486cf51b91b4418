import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  bufferSource,
  findBuildId,
  findDlopen,
  openElf,
  readElf,
  readModuleInfo,
  readNotes,
  readSections,
} from "../src/index.ts";
import { ourFacts, theirFacts } from "./compare.ts";
import { craftElf, craftNotes } from "./craft.ts";

const directory = mkdtempSync(join(tmpdir(), "elf-crafted-"));
afterAll(() => rmSync(directory, { recursive: true }));

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const BUILD_ID = Uint8Array.from({ length: 20 }, (_, index) => index * 13);
const DLOPEN = JSON.stringify([
  {
    soname: ["libz.so.1", "libz-ng.so.2"],
    feature: "zlib",
    description: "Compression",
    priority: "suggested",
  },
  { soname: "libdl.so" },
]);
const NOTES = [
  { owner: "GNU", type: 3, desc: BUILD_ID },
  { owner: "FDO", type: 0x407c_0c0a, desc: text(`${DLOPEN}\0`) },
];

const TARGETS = [
  { class: 64, endianness: "little", machineCode: 62, machine: "x86_64" },
  { class: 64, endianness: "little", machineCode: 183, machine: "aarch64" },
  { class: 64, endianness: "little", machineCode: 243, machine: "riscv" },
  { class: 64, endianness: "big", machineCode: 21, machine: "ppc64" },
  { class: 64, endianness: "big", machineCode: 22, machine: "s390" },
  { class: 32, endianness: "little", machineCode: 3, machine: "i386" },
  { class: 32, endianness: "little", machineCode: 40, machine: "arm" },
  { class: 32, endianness: "big", machineCode: 20, machine: "ppc" },
  { class: 32, endianness: "big", machineCode: 8, machine: "mips" },
] as const;

describe.each(TARGETS)("$class bits, $endianness endian, $machine", (target) => {
  const dynamic = [
    [1n, "libc.so.6"],
    [1n, "libm.so.6"],
    [14n, "libcrafted.so.1"],
    [15n, "/opt/lib:$ORIGIN/../lib"],
    [29n, "$ORIGIN"],
    [30n, 1n],
    [0x6fff_fffbn, 0x0800_0800n],
  ] as const;

  it.each([true, false])("reads a program (section headers: %s)", (withSections) => {
    const bytes = craftElf({
      ...target,
      typeCode: 3,
      interpreter: "/lib/ld-crafted.so.1",
      dynamic,
      notes: NOTES,
      sections: withSections ? [{ name: ".text", bytes: text("code") }] : undefined,
    });
    expect(readElf(bytes)).toMatchObject({
      class: target.class,
      endianness: target.endianness,
      machine: target.machine,
      machineCode: target.machineCode,
      type: "shared",
      entry: 0x1_0004n,
      interpreter: "/lib/ld-crafted.so.1",
      dynamic: {
        needed: ["libc.so.6", "libm.so.6"],
        soname: "libcrafted.so.1",
        rpath: "/opt/lib:$ORIGIN/../lib",
        runpath: "$ORIGIN",
        filters: [],
        flags: 1,
        flags1: 0x0800_0800,
      },
      buildId: Buffer.from(BUILD_ID).toString("hex"),
      dlopen: [
        {
          sonames: ["libz.so.1", "libz-ng.so.2"],
          feature: "zlib",
          description: "Compression",
          priority: "suggested",
        },
        { sonames: ["libdl.so"], feature: undefined, description: undefined, priority: "recommended" },
      ],
    });
    expect(readSections(openElf(bytes)).map(({ name }) => name)).toEqual(
      withSections ? ["", ".text", ".shstrtab"] : [],
    );
    const path = join(directory, `${target.machine}-${withSections}`);
    writeFileSync(path, bytes);
    expect([ourFacts(path)]).toEqual(theirFacts([path]));
  });

  it("reads a kernel module", () => {
    const info = "license=GPL\0\0\0depends=a,b\0alias=pci:v*\0alias=x=y\0";
    const bytes = craftElf({
      ...target,
      typeCode: 1,
      sections: [
        { name: ".modinfo", bytes: text(info) },
        { name: ".note.gnu.build-id", bytes: craftNotes({ ...target, notes: NOTES }) },
      ],
    });
    const elf = openElf(bytes);
    expect(elf.type).toBe("relocatable");
    expect(readModuleInfo(elf)).toEqual([
      { key: "license", value: "GPL" },
      { key: "depends", value: "a,b" },
      { key: "alias", value: "pci:v*" },
      { key: "alias", value: "x=y" },
    ]);
    expect(findBuildId(readNotes(elf))).toBe(Buffer.from(BUILD_ID).toString("hex"));
    expect(findDlopen(readNotes(elf))).toHaveLength(2);
  });

  it("reads counts that exceed the header's 16 bits", () => {
    const options = { ...target, typeCode: 4, notes: NOTES, sections: [{ name: ".x", bytes: text("x") }] };
    const plain = openElf(bufferSource(craftElf(options)));
    const extended = openElf(bufferSource(craftElf({ ...options, extendedNumbering: true })));
    expect(extended.segments).toEqual(plain.segments);
    // The first header differs: it holds the numbers.
    expect(readSections(extended).slice(1)).toEqual(readSections(plain).slice(1));
    expect(readSections(extended)).toHaveLength(3);
  });
});
