import type { Arch } from "./machine.ts";
import { invalid } from "./internal/invalid.ts";
import { fileOption } from "./internal/option-value.ts";

/** What the guest sees: `/dev/vda`, `/dev/nvme0n1`, or `/dev/sda` for the others. */
export type DiskModel = "virtio" | "nvme" | "sata" | "scsi" | "usb";

export interface DiskSpec {
  /** An image, or a block device. */
  readonly path: string;
  /** Default: `qcow2` for a name that ends so, else `raw`. It is never guessed from the content, which a guest can write. */
  readonly format?: "raw" | "qcow2" | undefined;
  /** The guest can't write. Not with `sata`, which has no such disks. */
  readonly readOnly?: boolean | undefined;
  /** The guest can write, and all of it is gone with the machine. */
  readonly snapshot?: boolean | undefined;
  /** Default `virtio`. */
  readonly model?: DiskModel | undefined;
}

export interface Disk {
  readonly path: string;
  readonly format: "raw" | "qcow2";
  readonly readOnly: boolean;
  readonly snapshot: boolean;
  readonly model: DiskModel;
}

/** Ports of an AHCI controller. */
const MAX_SATA = 6;

export function completeDisks(specs: readonly DiskSpec[], sataCdrom: boolean): Disk[] {
  const disks = specs.map(completeDisk);
  const sata = disks.filter(({ model }) => model === "sata").length + (sataCdrom ? 1 : 0);
  if (sata > MAX_SATA) throw invalid(`${sata} drives are to be on SATA, which has ${MAX_SATA} ports`);
  return disks;
}

function completeDisk({ path, format, readOnly, snapshot, model = "virtio" }: DiskSpec): Disk {
  if (path === "") throw invalid(`A disk has no path`);
  if (readOnly === true && snapshot === true)
    throw invalid(`Disk "${path}" is both readOnly and a snapshot`, `Choose one`);
  if (readOnly === true && model === "sata")
    throw invalid(`Disk "${path}" is readOnly, and SATA has no such disks`, `Use snapshot: true`);
  return {
    path,
    format: format ?? (path.endsWith(".qcow2") ? "qcow2" : "raw"),
    readOnly: readOnly ?? false,
    snapshot: snapshot ?? false,
    model,
  };
}

/** The part of a machine that disks are about. */
export interface Drives {
  readonly arch: Arch;
  readonly boot: string;
  readonly disks: readonly Disk[];
  readonly cdrom?: string;
}

/** QEMU's arguments for all drives; those to boot from are numbered in their order. */
export function driveArguments({ arch, boot, disks, cdrom }: Drives): string[] {
  const fromDrives = boot === "disk" || boot === "cdrom";
  const order = (place: number): string => (fromDrives ? `,bootindex=${place}` : "");
  const afterCdrom = boot === "cdrom" ? 2 : 1;
  const cdromModel = arch === "x86_64" ? "sata" : "scsi";
  const models = new Set<DiskModel>(disks.map(({ model }) => model));
  if (cdrom !== undefined) models.add(cdromModel);
  let sataPort = 0;
  const device = (disk: Disk, index: number): string => {
    const drive = `drive=disk${index}${order(afterCdrom + index)}`;
    switch (disk.model) {
      case "virtio":
        return `virtio-blk-pci,${drive}`;
      case "nvme":
        return `nvme,${drive},serial=disk${index}`;
      case "sata":
        return `ide-hd,${drive},bus=sata.${sataPort++}`;
      case "scsi":
        return `scsi-hd,${drive},bus=scsi.0`;
      case "usb":
        return `usb-storage,${drive},bus=usb.0`;
      default:
        return disk.model satisfies never;
    }
  };
  return [
    models.has("sata") ? ["-device", "ahci,id=sata"] : [],
    models.has("scsi") ? ["-device", "virtio-scsi-pci,id=scsi"] : [],
    models.has("usb") ? ["-device", "qemu-xhci,id=usb"] : [],
    ...disks.map((disk, index) => ["-drive", backend(disk, index), "-device", device(disk, index)]),
    cdrom === undefined
      ? []
      : [
          ["-drive", `if=none,id=cdrom,format=raw,readonly=on,file=${fileOption(cdrom)}`],
          [
            "-device",
            `${cdromModel === "sata" ? `ide-cd,bus=sata.${sataPort}` : "scsi-cd,bus=scsi.0"},drive=cdrom${order(boot === "cdrom" ? 1 : disks.length + 1)}`,
          ],
        ].flat(),
  ].flat();
}

function backend({ path, format, readOnly, snapshot }: Disk, index: number): string {
  const how = `${readOnly ? ",readonly=on" : ""}${snapshot ? ",snapshot=on" : ""}`;
  return `if=none,id=disk${index},format=${format}${how},file=${fileOption(path)}`;
}
