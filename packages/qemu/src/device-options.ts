import { basename, resolve } from "node:path";
import type { DiskModel, DiskSpec } from "./disks.ts";
import type { ShareSpec } from "./shares.ts";
import { UsageError } from "./usage-error.ts";

const FORMATS = ["raw", "qcow2"] as const;
const MODELS: readonly DiskModel[] = ["virtio", "nvme", "sata", "scsi", "usb"];

/** `FILE[,raw|qcow2][,read-only|snapshot][,virtio|nvme|sata|scsi|usb]`. */
export function parseDisk(value: string): DiskSpec {
  const [path, words] = split(value);
  const disk: { -readonly [Key in keyof DiskSpec]: DiskSpec[Key] } = { path };
  for (const word of words) {
    const format = FORMATS.find((name) => name === word);
    const model = MODELS.find((name) => name === word);
    if (format !== undefined) disk.format = format;
    else if (model !== undefined) disk.model = model;
    else if (word === "read-only") disk.readOnly = true;
    else if (word === "snapshot") disk.snapshot = true;
    else throw unknown(word, `--disk FILE[,raw|qcow2][,read-only|snapshot][,${MODELS.join("|")}]`);
  }
  return disk;
}

/** `DIR[,tag=NAME][,rw][,9p|virtiofs]`; the tag is the directory's name otherwise. */
export function parseShare(value: string): ShareSpec {
  const [path, words] = split(value);
  const share: { -readonly [Key in keyof ShareSpec]: ShareSpec[Key] } = {
    path,
    tag: basename(resolve(path)),
  };
  for (const word of words) {
    if (word.startsWith("tag=")) share.tag = word.slice(4);
    else if (word === "9p" || word === "virtiofs") share.kind = word;
    else if (word === "rw") share.readOnly = false;
    else throw unknown(word, "--share DIR[,tag=NAME][,rw][,9p|virtiofs]");
  }
  return share;
}

/** A port, or the path of a socket. */
export function parseGdb(value: string): number | string {
  return /^\d+$/.test(value) ? Number(value) : value;
}

/** As in QEMU's own lists, a doubled comma is one in the path. */
function split(value: string): [path: string, words: string[]] {
  const [path = "", ...words] = value.replaceAll(",,", "\0").split(",");
  return [path.replaceAll("\0", ","), words];
}

function unknown(word: string, usage: string): UsageError {
  return new UsageError(`Unknown word "${word}"`, `Give ${usage}; a comma in a path is doubled`);
}
