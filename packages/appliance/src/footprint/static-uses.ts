import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ElfError, findSyscalls, openElf, readImports, syscallNames } from "@justenough/elf";
import { closure } from "@justenough/initramfs";
import { callsOfFunction, type KernelUse } from "@justenough/kernel";
import { compileProgram } from "../bundle/compile.ts";
import type { ResolvedSpec } from "../spec/resolved.ts";
import { findInPath } from "../spec/verify.ts";

/** A file with system calls of which the numbers are not to be seen in its code. */
export interface UnresolvedCalls {
  readonly file: string;
  /** How many places; 0: it calls syscall(2) of the C library, with whatever number. */
  readonly sites: number;
}

export interface StaticUses {
  readonly uses: readonly KernelUse[];
  readonly unresolved: readonly UnresolvedCalls[];
}

// The C library has all calls: what a program wants of it are its imports.
const LIBC = /^(?:libc|ld-linux.*|ld|ld-musl.*|libpthread|librt|libm|libdl|libresolv|libanl|libutil)[.-]/;

/**
 * What the code of a spec's programs and their libraries may ask of the kernel. Of a file that is no ELF only its
 * interpreter is known.
 */
export async function staticUses(spec: ResolvedSpec, signal: AbortSignal | undefined): Promise<StaticUses> {
  const uses: KernelUse[] = [];
  const unresolved: UnresolvedCalls[] = [];
  const add = (bytes: Uint8Array, name: string): void => {
    const found = readUses(bytes, name);
    uses.push(...found.uses);
    unresolved.push(...found.unresolved);
  };
  const take = async (path: string, name: string): Promise<void> => add(await readFile(path), name);
  const directory = await mkdtemp(join(tmpdir(), "appliance-footprint-"));
  try {
    const copied: string[] = [];
    for (const program of spec.programs) {
      if (program.kind === "copy") {
        const found = program.source.includes("/") ? undefined : await findInPath(program.source);
        copied.push(found ?? program.source);
        continue;
      }
      const { source, flags, target } = program;
      const compiled = await compileProgram({ source, flags, arch: spec.arch, directory, signal });
      await take(compiled.path, target);
    }
    for (const { file, role } of closure(copied)) {
      if (role !== "path-file" && !LIBC.test(basename(file))) await take(file, file);
    }
    for (const { target, content, source } of spec.files) {
      if (content !== undefined) add(Buffer.from(content), target);
      else if (source !== undefined) await take(source, target);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return { uses, unresolved };
}

/** What the code of one file may ask for; `name` is who asks, in the reasons. */
export function readUses(bytes: Uint8Array, name: string): StaticUses {
  const uses: KernelUse[] = [];
  const unresolved: UnresolvedCalls[] = [];
  try {
    const elf = openElf(bytes);
    const names = syscallNames(elf.machine);
    if (names === undefined) return { uses, unresolved: [{ file: name, sites: 0 }] };
    const known = new Set(names.values());
    const imports = readImports(elf);
    for (const call of imports.flatMap((one) => callsOfFunction(one, known))) {
      uses.push({ ...call, by: name, evidence: "possible" });
    }
    if (imports.includes("syscall")) unresolved.push({ file: name, sites: 0 });
    let sites = 0;
    const calls = new Set<string>();
    for (const { number } of findSyscalls(elf)) {
      const call = number === undefined ? undefined : names.get(number);
      if (call === undefined) sites += 1;
      else calls.add(call);
    }
    for (const call of calls) uses.push({ call, detail: "", by: name, evidence: "possible" });
    if (sites > 0) unresolved.push({ file: name, sites });
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    if (bytes[0] === 0x23 && bytes[1] === 0x21) {
      uses.push({ call: "execve", detail: "#!", by: name, evidence: "possible" });
    } else if (error.code !== "ELF_NOT_ELF") unresolved.push({ file: name, sites: 0 });
  }
  return { uses, unresolved };
}
