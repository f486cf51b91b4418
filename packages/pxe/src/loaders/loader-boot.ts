/** What a boot loader's configuration names: files by their names on this server. */
export interface LoaderBoot {
  readonly kernel: string;
  /** Initramfs segments, in order. */
  readonly initrd: readonly string[];
  readonly cmdline: string;
  /** Printed on the client's screen. */
  readonly title?: string | undefined;
}
