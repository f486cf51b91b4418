import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { findStub, prepareUki, readKernelImage, readPe, UkiError, type PeMachine } from "@justenough/uki";
import type { PxeBundle } from "../bundle-files.ts";
import { PxeError } from "../errors.ts";
import type { OpenFile } from "../virtual-files.ts";

/** Stubs by the machine that they are for, in place of the distribution's. */
export type Stubs = ReadonlyMap<PeMachine, string>;

/** What a machine's image is made of. */
export interface UkiParts {
  readonly bundle: PxeBundle;
  readonly cmdline: string;
  /** Segments for this machine alone; they come last. */
  readonly segments: readonly Uint8Array[];
}

/** An error of the other package as one of ours: users see one kind. */
function told(cause: unknown): unknown {
  if (!(cause instanceof UkiError)) return cause;
  const code = cause.code === "UKI_STUB_MISSING" ? "PXE_BINARY_MISSING" : "PXE_BUNDLE_INVALID";
  return new PxeError(code, cause.message, {
    cause,
    ...(cause.hint === undefined ? {} : { hint: cause.hint }),
  });
}

/** Read which machines stubs given by path are for. */
export async function readStubs(paths: readonly string[]): Promise<Stubs> {
  const stubs = new Map<PeMachine, string>();
  for (const path of paths) {
    const { machine } = await readPe(path).catch((error: unknown) => {
      throw told(error);
    });
    stubs.set(machine, path);
  }
  return stubs;
}

/** The stub for a machine: the caller's, else the distribution's. Missing: `PXE_BINARY_MISSING`, with its package. */
export async function stubFor(stubs: Stubs, machine: PeMachine): Promise<string> {
  try {
    return stubs.get(machine) ?? (await findStub(machine));
  } catch (error) {
    throw told(error);
  }
}

/** Names the bytes of files and segments without reading the files. */
async function identityOf(paths: readonly string[], own: readonly (string | Uint8Array)[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    const { dev, ino, mtimeMs, size } = await stat(path);
    hash.update(`${dev} ${ino} ${mtimeMs} ${size}\n`);
  }
  for (const part of own) hash.update(`${part.length}\n`).update(part);
  return `uki ${hash.digest("hex")}`;
}

/**
 * A Unified Kernel Image for one machine, ready for reading at any offset, of which nothing is copied before.
 *
 * Errors: `PXE_BINARY_MISSING` when there is no stub for the kernel's machine, `PXE_BUNDLE_INVALID` for a kernel
 * that UEFI cannot start.
 */
export async function openUki(parts: UkiParts, stubs: Stubs): Promise<OpenFile> {
  const { bundle, cmdline, segments } = parts;
  try {
    const { machine } = (await readKernelImage(bundle.kernel)).pe;
    const stub = await stubFor(stubs, machine);
    const paths = [stub, bundle.kernel, ...bundle.initrd];
    // Before the files are opened: a change in between gives a name that nobody uses again.
    const identity = await identityOf(paths, [cmdline, ...segments]);
    const image = await prepareUki({ kernel: bundle.kernel, initrd: bundle.initrd, cmdline, stub });
    const own = segments.length === 0 ? image : await image.withInitrd(segments);
    const { size, read, close } = await own.open();
    return { size, identity, read, close };
  } catch (error) {
    throw told(error);
  }
}
