import type { PxeBundle } from "../bundle-files.ts";

/** A file for the initramfs: text, or the path of one on this machine. */
export type Param = string | { readonly file: string };

/** Files that a machine finds in its directory /params, by name. */
export type Params = Readonly<Record<string, Param>>;

/** What a machine boots. */
export type BootTarget =
  | { readonly kind: "bundle"; readonly bundle: PxeBundle }
  /** The next device of its firmware, mostly a disk. */
  | { readonly kind: "disk" }
  /** It is not booted by us. */
  | { readonly kind: "none" };

/** A target with what is added for one machine. */
export interface BootPlan {
  readonly target: BootTarget;
  /** Added to the bundle's kernel arguments. */
  readonly cmdline: string;
  readonly params: Params;
}

/** How a boot from the local disk is called. */
export const LOCAL_DISK = "the local disk";

/** The name of a target for people. */
export function describeTarget(target: BootTarget): string {
  if (target.kind === "bundle") return target.bundle.title ?? target.bundle.kernel;
  return target.kind === "disk" ? LOCAL_DISK : "nothing";
}
