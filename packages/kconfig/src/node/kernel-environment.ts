/** The variables that a Linux tree's Makefile gives to conf, without running make. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { machine } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Which build of a kernel is meant. */
export interface KernelEnvironmentOptions {
  readonly srctree: string;
  /** As in `make ARCH=…`: a folder of arch/ or a variant such as x86_64, i386, sparc64. Default: ARCH, or this machine's. */
  readonly arch?: string | undefined;
  /** Its values win, CROSS_COMPILE, LLVM and CC among them. Default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * The environment in which conf reads a Linux kernel's tree: that which is given, and what the top Makefile adds, as
 * far as Kconfig files look at it. For any other tree it is the environment that is given.
 *
 * @example
 * ```ts
 * import { kernelEnvironment } from "@justenough/kconfig/node";
 * const env = kernelEnvironment({ srctree: "/usr/src/linux", arch: "arm64" });
 * console.log(env["SRCARCH"]); // arm64, if that is a kernel's tree
 * ```
 */
export function kernelEnvironment(
  options: KernelEnvironmentOptions,
): Readonly<Record<string, string | undefined>> {
  const { srctree, env = process.env } = options;
  const version = kernelVersion(srctree);
  if (version === undefined) return env;
  const arch = options.arch ?? (given(env, "ARCH") ? (env["ARCH"] ?? "") : subarch(machine()));
  const folder = sourceFolder(arch);
  const added: Record<string, string> = {
    ...toolNames(env),
    KERNELVERSION: version,
    SRCARCH: folder,
    SUBARCH: subarch(machine()),
    HEADER_ARCH: sourceFolder(arch === "um" ? subarch(machine()) : arch),
    PAHOLE: "pahole",
    RUSTC: "rustc",
    BINDGEN: "bindgen",
    PYTHON3: "python3",
    KBUILD_DEFCONFIG: defconfigName(srctree, arch, folder),
  };
  const merged: Record<string, string | undefined> = { ...env, ARCH: arch };
  for (const [name, value] of Object.entries(added)) if (!given(env, name)) merged[name] = value;
  if (options.arch !== undefined) merged["SRCARCH"] = folder;
  const say = (program: string): string => firstLine(merged[program] ?? "", merged);
  if (!given(env, "CC_VERSION_TEXT")) merged["CC_VERSION_TEXT"] = say("CC").replaceAll("#", "");
  if (!given(env, "RUSTC_VERSION_TEXT")) merged["RUSTC_VERSION_TEXT"] = say("RUSTC");
  merged["srctree"] = srctree;
  return merged;
}

/** The version in the top Makefile of a Linux tree; undefined for what is no such tree. */
export function kernelVersion(srctree: string): string | undefined {
  const makefile = read(join(srctree, "Makefile"));
  // U-Boot and BusyBox have Makefiles much like it.
  if (!makefile.includes("KERNELVERSION") || !existsSync(join(srctree, "arch/x86/Kconfig"))) return undefined;
  const field = (name: string): string =>
    new RegExp(`^${name} *= *(.*)$`, "m").exec(makefile)?.[1]?.trim() ?? "";
  const numbers = ["VERSION", "PATCHLEVEL", "SUBLEVEL"].map(field).filter((number) => number !== "");
  return numbers.length === 0 ? undefined : `${numbers.join(".")}${field("EXTRAVERSION")}`;
}

function given(env: Readonly<Record<string, string | undefined>>, name: string): boolean {
  return env[name] !== undefined && env[name] !== "";
}

// "Additional ARCH settings" in the top Makefile.
const FOLDERS: Readonly<Record<string, string>> = {
  i386: "x86",
  x86_64: "x86",
  sparc32: "sparc",
  sparc64: "sparc",
  parisc64: "parisc",
};

function sourceFolder(arch: string): string {
  return FOLDERS[arch] ?? arch;
}

/** scripts/subarch.include */
function subarch(name: string): string {
  const rules: readonly (readonly [RegExp, string])[] = [
    [/i.86|x86_64/, "x86"],
    [/sun4u/, "sparc64"],
    [/aarch64.*|^arm64$/, "arm64"],
    [/arm.*|sa110/, "arm"],
    [/s390x/, "s390"],
    [/ppc.*/, "powerpc"],
    [/mips.*/, "mips"],
    [/sh[234].*/, "sh"],
    [/riscv.*/, "riscv"],
    [/loongarch.*/, "loongarch"],
  ];
  return rules.find(([pattern]) => pattern.test(name))?.[1] ?? name;
}

const GNU = { CC: "gcc", LD: "ld", AR: "ar", NM: "nm", OBJCOPY: "objcopy" };
const CLANG = { CC: "clang", LD: "ld.lld", AR: "llvm-ar", NM: "llvm-nm", OBJCOPY: "llvm-objcopy" };

// LLVM=1, LLVM=-18 (a suffix) and LLVM=/opt/llvm/bin/ (a folder), as in Documentation/kbuild/llvm.rst.
function toolNames(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const llvm = env["LLVM"] ?? "";
  const before = llvm === "" ? (env["CROSS_COMPILE"] ?? "") : llvm.endsWith("/") ? llvm : "";
  const after = llvm.startsWith("-") ? llvm : "";
  return Object.fromEntries(
    Object.entries(llvm === "" ? GNU : CLANG).map(([name, program]) => [name, `${before}${program}${after}`]),
  );
}

// What arch/*/Makefile assigns, without running it: a plain assignment, except where it depends on ARCH.
function defconfigName(srctree: string, arch: string, folder: string): string {
  switch (folder) {
    case "x86":
      return arch === "i386" || (arch === "x86" && machine() !== "x86_64")
        ? "i386_defconfig"
        : "x86_64_defconfig";
    case "sparc":
      return arch === "sparc64" ? "sparc64_defconfig" : "sparc32_defconfig";
    case "parisc":
      return arch === "parisc64" ? "generic-64bit_defconfig" : "generic-32bit_defconfig";
    case "um":
      return /^(x86_64|i.86)$/.test(machine())
        ? defconfigName(srctree, machine() === "x86_64" ? "x86_64" : "i386", "x86")
        : `${subarch(machine())}_defconfig`;
    case "powerpc":
      return machine().startsWith("ppc") ? `${machine()}_defconfig` : "ppc64le_defconfig";
    default: {
      const makefile = read(join(srctree, "arch", folder, "Makefile"));
      return /^KBUILD_DEFCONFIG\s*:?= *(\S+)$/m.exec(makefile)?.[1] ?? "defconfig";
    }
  }
}

function firstLine(command: string, env: Readonly<Record<string, string | undefined>>): string {
  const [program, ...args] = command.trim().split(/\s+/);
  if (program === undefined || program === "") return "";
  try {
    const output = execFileSync(program, [...args, "--version"], {
      env: { ...env, LC_ALL: "C" },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return output.split("\n")[0] ?? "";
  } catch {
    return "";
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
