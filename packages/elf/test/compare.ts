import { DF_1_PIE, openElf, readElf, readSections } from "../src/index.ts";
import { fileSource, readelf, type ReadelfFacts } from "./corpus.ts";

const MACHINES: Readonly<Record<string, string>> = {
  "Advanced Micro Devices X86-64": "x86_64",
  AArch64: "aarch64",
  "Intel 80386": "i386",
  ARM: "arm",
  PowerPC: "ppc",
  PowerPC64: "ppc64",
  "IBM S/390": "s390",
  "MIPS R3000": "mips",
  "RISC-V": "riscv",
  "Linux BPF": "bpf",
};
const TYPES: Readonly<Record<string, string>> = {
  NONE: "none",
  REL: "relocatable",
  EXEC: "executable",
  DYN: "shared",
  CORE: "core",
};
const OS_ABIS: Readonly<Record<string, string>> = { "UNIX - System V": "sysv", "UNIX - GNU": "gnu" };

/** What this package says about a file, in the form of {@link theirFacts}. */
export function ourFacts(path: string): ReadelfFacts & { readonly path: string } {
  using source = fileSource(path);
  const elf = openElf(source);
  const summary = readElf(source);
  return {
    path,
    class: String(summary.class),
    data: summary.endianness,
    osAbi: summary.osAbi,
    abiVersion: summary.abiVersion,
    type: summary.type,
    machine: summary.machine,
    entry: summary.entry,
    flags: summary.flags,
    segments: elf.segments.length,
    sections: readSections(elf).length,
    interpreter: summary.interpreter,
    needed: summary.dynamic?.needed ?? [],
    soname: summary.dynamic?.soname,
    rpath: summary.dynamic?.rpath,
    runpath: summary.dynamic?.runpath,
    buildId: summary.buildId,
    pie: ((summary.dynamic?.flags1 ?? 0) & DF_1_PIE) !== 0,
  };
}

/** What `readelf` says about files, in this package's words. */
export function theirFacts(paths: readonly string[]): (ReadelfFacts & { readonly path: string })[] {
  const found = readelf(paths);
  return paths.map((path) => {
    const theirs = found.get(path);
    if (theirs === undefined) throw new Error(`readelf says nothing about ${path}`);
    return {
      path,
      ...theirs,
      class: theirs.class.replace("ELF", ""),
      data: theirs.data.includes("little") ? "little" : "big",
      osAbi: OS_ABIS[theirs.osAbi] ?? theirs.osAbi,
      type: TYPES[theirs.type.split(" ")[0] as string] ?? theirs.type,
      machine: MACHINES[theirs.machine] ?? theirs.machine,
    };
  });
}
