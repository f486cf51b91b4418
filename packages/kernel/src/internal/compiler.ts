import { archFacts, hostArch } from "../arch.ts";
import type { Arch } from "../arch.ts";

/** What compiles a kernel. */
export interface Compiler {
  readonly arch: Arch;
  readonly compiler: "gcc" | "clang";
  /** What the names of GNU tools begin with: empty for those of this machine. clang makes code for all of them. */
  readonly prefix: string;
}

/** The compiler of a family for an architecture: a cross compiler where this machine is another. */
export function compilerFor(arch: Arch, compiler: Compiler["compiler"] = "gcc"): Compiler {
  const { triple } = archFacts(arch);
  const cross = compiler === "gcc" && hostArch() !== arch;
  return { arch, compiler, prefix: cross ? `${triple}-` : "" };
}

/** What make is to be given for it: Documentation/kbuild/llvm.rst. */
export function compilerArgs({ compiler, prefix }: Compiler): string[] {
  if (compiler === "clang") return ["LLVM=1"];
  return prefix === "" ? [] : [`CROSS_COMPILE=${prefix}`];
}
