import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, constants, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { httpUrl, LOOP_FILE, SCRIPT_FILE, tftpUrl, type BootSite } from "./boot-policy.ts";
import { PxeError } from "./errors.ts";
import { ipxeMessage, ipxeScript } from "./ipxe-script.ts";
import type { VirtualFile } from "./virtual-files.ts";

/** What is served: paths on this machine, and the kernel's arguments. */
export interface PxeBundle {
  readonly kernel: string;
  /** Initramfs segments, joined by the loader in this order. */
  readonly initrd: readonly string[];
  readonly cmdline: string;
  /** Served as /manifest.json; without one it is made from sizes and hashes. */
  readonly manifest?: string | undefined;
  /** Printed on the client's screen. */
  readonly title?: string | undefined;
}

/** Check that a bundle can be read and its arguments written into a script: better now than at the first client. */
export async function checkBundle(bundle: PxeBundle): Promise<void> {
  const named = [
    bundle.kernel,
    ...bundle.initrd,
    ...(bundle.manifest === undefined ? [] : [bundle.manifest]),
  ];
  for (const path of named) {
    const info = await stat(path).catch((cause: unknown) => {
      throw new PxeError("PXE_BUNDLE_INVALID", `Cannot find ${JSON.stringify(path)}`, {
        cause,
        hint: "name the kernel and initramfs files of a bundle that has been built",
      });
    });
    if (!info.isFile()) {
      const hint = info.isDirectory() ? { hint: "a directory is served by --bundle, or as a bundle" } : {};
      throw new PxeError("PXE_BUNDLE_INVALID", `${JSON.stringify(path)} is not a file`, hint);
    }
    await access(path, constants.R_OK).catch((cause: unknown) => {
      const text = `Cannot read ${JSON.stringify(path)}: ${(cause as Error).message}`;
      throw new PxeError("PXE_BUNDLE_INVALID", text, {
        cause,
        hint: "give this program the right to read it",
      });
    });
  }
  ipxeScript({ kernel: "http://host/kernel", initrd: [], cmdline: bundle.cmdline, title: bundle.title });
}

/**
 * The bundle in a directory: `kernel`, `initramfs` (or `initrd`) if there is one, the kernel's arguments in
 * `cmdline`, and `manifest.json`, as `appliance build` leaves them.
 */
export async function readBundle(directory: string): Promise<PxeBundle> {
  const found = async (name: string): Promise<string | undefined> =>
    (await stat(join(directory, name)).catch(() => undefined)) ? join(directory, name) : undefined;
  const kernel = await found("kernel");
  if (kernel === undefined) {
    throw new PxeError(
      "PXE_BUNDLE_INVALID",
      `${JSON.stringify(directory)} holds no bundle: no file "kernel"`,
      {
        hint: "name the directory of a bundle that has been built, or its kernel and initrd files",
      },
    );
  }
  const initrd = (await found("initramfs")) ?? (await found("initrd"));
  const cmdline = await readFile(join(directory, "cmdline"), "utf8").catch(() => "");
  const bundle: PxeBundle = {
    kernel,
    initrd: initrd === undefined ? [] : [initrd],
    cmdline: cmdline.trim(),
    manifest: await found("manifest.json"),
    title: basename(directory),
  };
  await checkBundle(bundle);
  return bundle;
}

async function fingerprint(path: string): Promise<{ size: number; sha256: string }> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const part of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(part);
    size += part.length;
  }
  return { size, sha256: hash.digest("hex") };
}

/** Tells files that have changed from those that were read. */
async function stampOf(paths: readonly string[]): Promise<string> {
  const infos = await Promise.all(paths.map((path) => stat(path, { bigint: true })));
  return infos.map(({ dev, ino, size, mtimeNs }) => `${dev} ${ino} ${size} ${mtimeNs}`).join("\n");
}

/** The made manifest, which is made again only when a file has changed. */
function manifestOf(bundle: PxeBundle): () => Promise<string> {
  let kept: { readonly stamp: string; readonly text: Promise<string> } | undefined;
  return async () => {
    const stamp = await stampOf([bundle.kernel, ...bundle.initrd]);
    if (kept?.stamp !== stamp) {
      const made = { stamp, text: madeManifest(bundle) };
      kept = made;
      made.text.catch(() => {
        if (kept === made) kept = undefined;
      });
    }
    return kept.text;
  };
}

async function madeManifest(bundle: PxeBundle): Promise<string> {
  const manifest = {
    kernel: await fingerprint(bundle.kernel),
    initrd: await Promise.all(bundle.initrd.map((path) => fingerprint(path))),
    cmdline: bundle.cmdline,
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/**
 * Every name that the server answers to, the same by HTTP and TFTP. A script points at files of the protocol
 * that it came by: iPXE builds without HTTP can then fetch the rest too.
 */
export function bundleFiles(
  bundle: PxeBundle,
  site: BootSite,
  binaries: ReadonlyMap<string, string>,
): ReadonlyMap<string, VirtualFile> {
  const script = (via: "http" | "tftp"): string => {
    const url = (file: string): string => (via === "http" ? httpUrl(site, file) : tftpUrl(site, file));
    return ipxeScript({
      kernel: url("kernel"),
      initrd: bundle.initrd.map((_, index) => url(`initrd/${index}`)),
      cmdline: bundle.cmdline,
      title: bundle.title,
    });
  };
  const files = new Map<string, VirtualFile>([
    [SCRIPT_FILE, { kind: "made", role: "script", make: ({ via }) => script(via) }],
    ["kernel", { kind: "path", path: bundle.kernel, role: "kernel" }],
    [
      "manifest.json",
      bundle.manifest === undefined
        ? { kind: "made", make: manifestOf(bundle) }
        : { kind: "path", path: bundle.manifest },
    ],
  ]);
  for (const [index, path] of bundle.initrd.entries()) {
    files.set(`initrd/${index}`, { kind: "path", path, role: "initrd" });
  }
  for (const [name, path] of binaries)
    if (!files.has(name)) files.set(name, { kind: "path", path, role: "loader" });
  return files;
}

/** The names that do not depend on what is booted: boot programs, and scripts for special cases. */
export function commonFiles(
  site: BootSite,
  binaries: ReadonlyMap<string, string>,
): ReadonlyMap<string, VirtualFile> {
  // Newer EFI builds of iPXE fetch this beside themselves, and stall for four seconds when it is missing.
  // `ifopen` takes over the firmware's lease; if that fails, the ordinary way with DHCP is left.
  const autoexec = `#!ipxe\nifopen net0 && chain ${httpUrl(site, SCRIPT_FILE)} || autoboot\n`;
  const loop = ipxeMessage(
    "This machine was sent in a circle: its iPXE cannot start Linux. The chain is stopped.",
  );
  const files = new Map<string, VirtualFile>([
    ["autoexec.ipxe", { kind: "bytes", bytes: Buffer.from(autoexec) }],
    [LOOP_FILE, { kind: "bytes", bytes: Buffer.from(loop) }],
  ]);
  for (const [name, path] of binaries) files.set(name, { kind: "path", path, role: "loader" });
  return files;
}
