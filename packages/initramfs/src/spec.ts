import type { DlopenPriority } from "@justenough/elf";

import type { Arch } from "./arch.ts";
import type { InitRecords } from "./init-records.ts";
import type { FirmwareNeed } from "./internal/firmware.ts";
import type { LayerLimits, LayerSpec } from "./layers/layer-spec.ts";
import type { ModuleRequest } from "./kernel-modules.ts";

/** A program that goes into the image with all it needs. */
export interface ProgramSpec {
  /**
   * A name to be looked up, or a path in the sysroot: a program, a library, or a directory, which is taken whole, with
   * what the programs and libraries in it need.
   */
  readonly source: string;
  /** Where it goes; default: where it is found, links on the way included. */
  readonly target?: string | undefined;
}

/** A file as it is, or a whole directory; what it needs to be executed is not looked at. */
export interface FileSpec {
  readonly target: string;
  /** Path on this machine (not in the sysroot); links are followed. Either this or `content`. */
  readonly source?: string | undefined;
  readonly content?: string | Uint8Array | undefined;
  /** Default: 0644, 0755 if the source is executable, the source's own if only its owner may read it. */
  readonly mode?: number | undefined;
}

export interface DirectorySpec {
  readonly target: string;
  /** Default 0755. */
  readonly mode?: number | undefined;
}

export interface LinkSpec {
  readonly target: string;
  /** What the link says; need not exist. */
  readonly to: string;
}

export interface NodeSpec {
  readonly target: string;
  readonly type: "character" | "block" | "fifo";
  /** For devices. */
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  /** Default 0600. */
  readonly mode?: number | undefined;
}

/** The program that the kernel starts first. */
export type InitSpec =
  | ({ readonly kind: "generated" } & InitRecords)
  | {
      readonly kind: "file";
      /** A program or script of the sysroot; it goes to /init with all it needs. */
      readonly source: string;
    }
  /** The layers' own /init. Nothing is added that was not asked for, no mount point and no device either. */
  | { readonly kind: "layer" };

/** What an image holds. But for `layers`, the order within the lists makes no difference to the image. */
export interface ContentSpec {
  /**
   * Root file systems to start from, later over earlier. All else comes over them: what it names replaces what
   * a layer has there.
   */
  readonly layers?: readonly LayerSpec[] | undefined;
  readonly layerLimits?: LayerLimits | undefined;
  /** Let the layers' times of change into the image. Default: all times are 0. */
  readonly keepLayerTimes?: boolean | undefined;
  /**
   * Let the generated /init set the file capabilities of the layers' programs at boot, which cpio cannot hold.
   * The kernel needs CONFIG_TMPFS and CONFIG_TMPFS_XATTR.
   */
  readonly restoreCapabilities?: boolean | undefined;
  /** Directory that is taken as the root for programs and their libraries, default `/`. */
  readonly sysroot?: string | undefined;
  readonly searchPath?: readonly string[] | undefined;
  readonly programs: readonly ProgramSpec[];
  readonly files?: readonly FileSpec[] | undefined;
  readonly directories?: readonly DirectorySpec[] | undefined;
  readonly links?: readonly LinkSpec[] | undefined;
  readonly nodes?: readonly NodeSpec[] | undefined;
  readonly modules?: ModuleRequest | undefined;
  /**
   * Files below /lib/firmware that drivers built into the kernel may load, with the name of the driver; patterns too. What the
   * sysroot does not have is left out: drivers name all that they might load.
   */
  readonly firmware?: readonly FirmwareNeed[] | undefined;
  /**
   * What no ELF file says that programs need: `nss` (names of users and hosts), `locale=de_DE.UTF-8`,
   * `terminfo=linux,vt220`, `tz=Europe/Berlin`, `ca-certificates`, `gconv=ISO-8859-15`, `pam=login`, `python`
   * (and `python=PACKAGE`), `node`. Without values: what is usual, or all.
   */
  readonly facets?: readonly string[] | undefined;
  readonly init: InitSpec;
  readonly arch: Arch;
  /** Libraries opened at run time to include: this priority and above. Default `required`. */
  readonly dlopen?: DlopenPriority | undefined;
  /** The C compiler for the generated /init, default `cc`. */
  readonly compiler?: string | undefined;
}
