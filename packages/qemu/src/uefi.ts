import { access, constants, readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { QemuError } from "./errors.ts";
import type { Arch } from "./machine.ts";

/** A UEFI firmware as a pair of flash images. */
export interface Uefi {
  readonly code: { readonly path: string; readonly format: string };
  /** The template of its variables; no machine writes into it. */
  readonly vars: { readonly path: string; readonly format: string };
}

const TARGETS: Readonly<Record<Arch, { qemu: string; machine: string; package: string }>> = {
  x86_64: {
    qemu: "x86_64",
    machine: "pc-q35-",
    package: "ovmf",
  },
  arm64: {
    qemu: "aarch64",
    machine: "virt",
    package: "qemu-efi-aarch64",
  },
  riscv64: {
    qemu: "riscv64",
    machine: "virt",
    package: "qemu-efi-riscv64",
  },
};

/**
 * Finds the distribution's UEFI: by the descriptors that its package gives QEMU's users (QEMU's
 * docs/interop/firmware.json), the first by name that needs neither SMM nor enrolled keys.
 *
 * @throws QemuError `QEMU_FIRMWARE_MISSING`, which names the package
 * @example
 * ```ts no-run
 * import { commandByHand, findUefi, machine, printable } from "@justenough/qemu";
 * const uefi = await findUefi("x86_64");
 * console.log(printable(commandByHand(machine({ firmware: "uefi", disks: [{ path: "a.img" }] }), "tcg", { uefi })));
 * ```
 */
export async function findUefi(arch: Arch): Promise<Uefi> {
  const found = await byDescriptor(arch);
  if (found !== undefined) return found;
  throw new QemuError("QEMU_FIRMWARE_MISSING", `There is no UEFI firmware for ${arch} on this host`, {
    hint: `Install it: apt-get install ${TARGETS[arch].package} (Debian, Ubuntu)`,
  });
}

/** A directory's file hides those of the same name further on. */
const DESCRIPTORS = ["/etc/qemu/firmware", "/usr/local/share/qemu/firmware", "/usr/share/qemu/firmware"];

async function byDescriptor(arch: Arch): Promise<Uefi | undefined> {
  const config = process.env["XDG_CONFIG_HOME"] ?? join(homedir(), ".config");
  const files = new Map<string, string>();
  for (const directory of [join(config, "qemu/firmware"), ...DESCRIPTORS]) {
    const names = await readdir(directory).catch(() => []);
    for (const name of names)
      if (name.endsWith(".json") && !files.has(name)) files.set(name, join(directory, name));
  }
  for (const name of [...files.keys()].sort()) {
    const text = await readFile(files.get(name) ?? "", "utf8").catch(() => "");
    const uefi = fromDescriptor(text, arch);
    if (uefi !== undefined && (await isReadable(uefi))) return uefi;
  }
  return undefined;
}

interface Descriptor {
  readonly "interface-types"?: readonly string[];
  readonly mapping?: {
    readonly device?: string;
    readonly mode?: string;
    readonly executable?: { readonly filename?: string; readonly format?: string };
    readonly "nvram-template"?: { readonly filename?: string; readonly format?: string };
  };
  readonly targets?: readonly { readonly architecture?: string; readonly machines?: readonly string[] }[];
  readonly features?: readonly string[];
}

/** The firmware that a descriptor tells of, if it suits a plain machine of that architecture. */
export function fromDescriptor(text: string, arch: Arch): Uefi | undefined {
  let descriptor: Descriptor | null;
  try {
    descriptor = JSON.parse(text) as Descriptor | null;
    const wanted = TARGETS[arch];
    const suits =
      descriptor?.["interface-types"]?.includes("uefi") === true &&
      descriptor.targets?.some(
        ({ architecture, machines }) =>
          architecture === wanted.qemu && machines?.some((machine) => machine.startsWith(wanted.machine)),
      ) === true &&
      !["requires-smm", "enrolled-keys"].some((feature) => descriptor?.features?.includes(feature));
    const { device, mode = "split", executable, "nvram-template": template } = descriptor?.mapping ?? {};
    if (!suits || device !== "flash" || mode !== "split") return undefined;
    if (executable?.filename === undefined || template?.filename === undefined) return undefined;
    return {
      code: { path: executable.filename, format: executable.format ?? "raw" },
      vars: { path: template.filename, format: template.format ?? "raw" },
    };
  } catch {
    return undefined;
  }
}

async function isReadable({ code, vars }: Uefi): Promise<boolean> {
  const checks = [code, vars].map(({ path }) => access(path, constants.R_OK));
  return Promise.all(checks).then(
    () => true,
    () => false,
  );
}
