/** What a small guest with network, disk and console needs. */
export const FIFTEEN: readonly string[] = [
  "64BIT",
  "PRINTK",
  "BINFMT_ELF",
  "EXT4_FS",
  "VIRTIO_NET",
  "VIRTIO_BLK",
  "VIRTIO_PCI",
  "SERIAL_8250_CONSOLE",
  "BLK_DEV_INITRD",
  "INET",
  "TMPFS",
  "PROC_FS",
  "SYSFS",
  "DEVTMPFS",
  "TTY",
];
