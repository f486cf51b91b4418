import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ResolvedKernel, ResolvedSpec } from "../spec/resolved.ts";

/** A file of the initramfs and what it is there for. */
export interface BundleEntry {
  readonly path: string;
  readonly size: number;
  readonly mode: number;
  readonly why: string;
}

/** How many symbols another configuration sets. */
export interface ReferenceCount {
  readonly name: string;
  readonly set: number;
}

/** What `manifest.json` says of a bundle. The same inputs give the same manifest: no times, no host names. */
export interface BundleManifest {
  readonly format: 1;
  /** Hash of kernel, initramfs and command line: what is booted, by content. */
  readonly id: string;
  readonly name: string;
  readonly arch: ResolvedSpec["arch"];
  readonly cmdline: string;
  readonly kernel: {
    readonly file: "kernel";
    readonly sha256: string;
    readonly size: number;
    /** What `uname -r` will print. */
    readonly release: string;
    readonly source: ResolvedKernel["source"]["kind"];
    /** The kernel package's own words on source, features and tools. */
    readonly provenance: unknown;
  };
  readonly initramfs: {
    readonly file: "initramfs";
    readonly sha256: string;
    readonly size: number;
    readonly unpackedSize: number;
    readonly compression: ResolvedSpec["compression"];
    readonly entries: readonly BundleEntry[];
  };
  /** The kernel's configuration. */
  readonly config: {
    readonly file: "config";
    readonly sha256: string;
    /** The kernel's own default configuration, counted; null where there is no source tree. */
    readonly defconfig: ReferenceCount | null;
  };
}

/** Everything that is needed to boot: a directory of plain files, however it was made. */
export interface Bundle {
  readonly directory: string;
  readonly kernel: string;
  readonly initramfs: string;
  readonly config: string;
  readonly cmdline: string;
  readonly id: string;
  readonly manifest: BundleManifest;
}

/** Reads a bundle; undefined when the directory holds none that is complete. */
export async function readBundle(directory: string): Promise<Bundle | undefined> {
  const text = await readFile(join(directory, "manifest.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const manifest = JSON.parse(text) as BundleManifest;
  if (manifest.format !== 1) return undefined;
  for (const { file, size } of [manifest.kernel, manifest.initramfs]) {
    const info = await stat(join(directory, file)).catch(() => undefined);
    if (info?.size !== size) return undefined;
  }
  return {
    directory,
    kernel: join(directory, manifest.kernel.file),
    initramfs: join(directory, manifest.initramfs.file),
    config: join(directory, manifest.config.file),
    cmdline: manifest.cmdline,
    id: manifest.id,
    manifest,
  };
}
