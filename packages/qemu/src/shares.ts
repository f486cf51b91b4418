import { invalid } from "./internal/invalid.ts";
import { optionValue } from "./internal/option-value.ts";

export interface ShareSpec {
  /** A directory of the host. */
  readonly path: string;
  /** By which the guest mounts it: `mount -t 9p -o trans=virtio,msize=512000 TAG /mnt`, `mount -t virtiofs TAG /mnt`. */
  readonly tag: string;
  /**
   * `9p` (the default) needs nothing on the host, and NET_9P_VIRTIO and 9P_FS in the guest. `virtiofs` needs the daemon
   * virtiofsd on the host, and VIRTIO_FS in the guest, which Debian's cloud kernel has.
   */
  readonly kind?: "9p" | "virtiofs" | undefined;
  /** Default true. With `virtiofs` it takes a virtiofsd that knows `--readonly`. */
  readonly readOnly?: boolean | undefined;
}

export interface Share {
  readonly path: string;
  readonly tag: string;
  readonly kind: "9p" | "virtiofs";
  readonly readOnly: boolean;
}

/** The length of a tag: VIRTIO_FS's 36 bytes; 9p has 31. */
const MAX_TAG = 31;

export function completeShares(specs: readonly ShareSpec[]): Share[] {
  return specs.map(({ path, tag, kind, readOnly }, index) => {
    if (path === "") throw invalid(`Share "${tag}" has no path`);
    if (!/^\w[\w.-]*$/.test(tag) || tag.length > MAX_TAG || specs.findIndex((s) => s.tag === tag) !== index)
      throw invalid(
        `Tag "${tag}" of a share is no unique name of at most ${MAX_TAG} letters, digits, "_", "." and "-"`,
      );
    return { path, tag, kind: kind ?? "9p", readOnly: readOnly ?? true };
  });
}

/** @param socket - Where the daemon of a share listens. */
export function shareArguments(shares: readonly Share[], socket: (share: Share) => string): string[] {
  return shares.flatMap((share, index) => {
    const id = `share${index}`;
    if (share.kind === "virtiofs")
      return [
        ...["-chardev", `socket,id=${id},path=${optionValue(socket(share))}`],
        ...["-device", `vhost-user-fs-pci,chardev=${id},tag=${share.tag}`],
      ];
    // "none": files have the owner and mode that they have on the host; what only root may change stays as it is.
    const how = `security_model=none,multidevs=remap${share.readOnly ? ",readonly=on" : ""}`;
    return [
      ...["-fsdev", `local,id=${id},${how},path=${optionValue(share.path)}`],
      ...["-device", `virtio-9p-pci,fsdev=${id},mount_tag=${share.tag}`],
    ];
  });
}
