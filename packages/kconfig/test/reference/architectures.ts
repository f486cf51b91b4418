/** The architectures of a tree and the environment that its Makefile gives conf. No cross compiler is needed: what the
 * compiler answers may be wrong for an architecture, but both sides hear the same. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";

export interface Architecture {
  /** The value of ARCH. */
  readonly arch: string;
  /** The folder below arch/. */
  readonly folder: string;
  /** Paths of its defconfigs in the tree. */
  readonly defconfigs: readonly string[];
}

// Values of ARCH beside that of a folder (the top Makefile: "Additional ARCH settings").
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  x86: ["i386", "x86", "x86_64"],
  sparc: ["sparc", "sparc32", "sparc64"],
  parisc: ["parisc", "parisc64"],
};

export function architectures(tree: string): readonly Architecture[] {
  return readdirSync(join(tree, "arch"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(tree, "arch", entry.name, "Kconfig")))
    .map((entry) => entry.name)
    .sort()
    .flatMap((folder) => {
      const configs = join(tree, "arch", folder, "configs");
      const defconfigs = existsSync(configs)
        ? readdirSync(configs, { recursive: true, encoding: "utf8" })
            .filter((name) => name.endsWith("defconfig"))
            .sort()
            .map((name) => `arch/${folder}/configs/${name}`)
        : [];
      return (VARIANTS[folder] ?? [folder]).map((arch) => ({ arch, folder, defconfigs }));
    });
}

let compiler: string | undefined;

/** What the Makefile exports for conf. */
export function confEnvironment(tree: string, { arch, folder }: Architecture): Record<string, string> {
  compiler ??= execFileSync("gcc", ["--version"], { encoding: "utf8" }).split("\n")[0] ?? "";
  const makefile = readFileSync(join(tree, "Makefile"), "latin1");
  const [, version, patch, sub] =
    /^VERSION = (.*)\nPATCHLEVEL = (.*)\nSUBLEVEL = (.*)$/m.exec(makefile) ?? [];
  return {
    srctree: tree,
    ARCH: arch,
    SRCARCH: folder,
    KERNELVERSION: `${version}.${patch}.${sub}`,
    CC: "gcc",
    LD: "ld",
    AR: "ar",
    NM: "nm",
    OBJCOPY: "objcopy",
    CC_VERSION_TEXT: compiler,
    PAHOLE: "pahole",
    RUSTC: "rustc",
    BINDGEN: "bindgen",
    PYTHON3: "python3",
    RUSTC_VERSION_TEXT: "",
    HEADER_ARCH: "x86",
    SUBARCH: "x86_64",
    KCONFIG_DEFCONFIG_LIST: "",
  };
}
