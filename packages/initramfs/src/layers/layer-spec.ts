/**
 * A root file system, or a part of one, to start the image from. An archive is read in memory: nothing is
 * extracted, nothing in it is executed, and no path of this machine is opened because an archive names it.
 *
 * @example
 * ```ts
 * import type { LayerSpec } from "@justenough/initramfs";
 * const layers: LayerSpec[] = [
 *   { kind: "oci", source: "debian.tar", reference: "debian:12" },
 *   { kind: "deb", source: "busybox-static_1.35.0-4_amd64.deb" },
 *   { kind: "tar", source: "site.tar.zst" },
 * ];
 * console.log(layers.length); // 3
 * ```
 */
export type LayerSpec =
  | {
      /** v7, ustar, GNU or pax; plain, gzip, zstd, xz or bzip2. */
      readonly kind: "tar";
      readonly source: string;
    }
  | OciLayerSpec
  | {
      /** Another initramfs, whoever made it: what the kernel would unpack of it. */
      readonly kind: "initramfs";
      readonly source: string;
    }
  | {
      /** A Debian package. Its maintainer scripts are not run. */
      readonly kind: "deb";
      readonly source: string;
    }
  | {
      /** The list format of the kernel's usr/gen_init_cpio.c. */
      readonly kind: "list";
      readonly source: string;
      /** For `${NAME}` in locations, default the process's environment. */
      readonly env?: Readonly<Record<string, string | undefined>> | undefined;
    }
  | {
      /** A directory of this machine as it is: owners, modes, hard links and devices. */
      readonly kind: "directory";
      readonly source: string;
    };

/** A container image: an OCI image layout (a directory or a tar of it), or what `docker save` writes. */
export interface OciLayerSpec {
  readonly kind: "oci";
  readonly source: string;
  /** A tag or name, where there are several images: what `org.opencontainers.image.ref.name` or RepoTags say. */
  readonly reference?: string | undefined;
  /** `os/architecture[/variant]` in the words of the OCI; default: that of the image being built. */
  readonly platform?: string | undefined;
}

/** Where reading stops, so that an archive made to exhaust memory cannot. They count over all layers together. */
export interface LayerLimits {
  /** Default 1,000,000. */
  readonly entries?: number | undefined;
  /** Bytes of all files, and of any one archive once decompressed. Default 2 GiB. */
  readonly bytes?: number | undefined;
}
