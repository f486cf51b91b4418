/** What a BIOS gets: iPXE's undionly.kpxe, which fetches by HTTP, or one of the two PXELINUX. */
export const BIOS_LOADERS = ["ipxe", "pxelinux", "lpxelinux"] as const;
/** What UEFI gets: kernel and initramfs in one image, iPXE, or the distribution's signed shim and GRUB. */
export const EFI_LOADERS = ["uki", "ipxe", "grub"] as const;
export type BiosLoader = (typeof BIOS_LOADERS)[number];
export type EfiLoader = (typeof EFI_LOADERS)[number];

/** Which boot programs machines get. */
export interface LoaderOptions {
  /** `ipxe` unless told. What is told holds for machines too whose ROM is iPXE. */
  readonly bios?: BiosLoader | undefined;
  /** `uki` where systemd's stub for the machine is there, else `ipxe`. */
  readonly efi?: EfiLoader | undefined;
  /** Stubs for UKIs by path, such as those of other processors; this machine's own is found. */
  readonly stubs?: readonly string[] | undefined;
}

/** A boot program that loads Linux without iPXE. */
export interface Loader {
  readonly kind: "uki" | "grub" | "pxelinux" | "lpxelinux";
  /** The name of its first file. */
  readonly file: string;
  /** For machines too whose iPXE could do it. */
  readonly always: boolean;
}
