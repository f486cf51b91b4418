import { encodeCpio } from "@justenough/cpio";

import { encodeRecords, type InitRecords } from "./init-records.ts";

/**
 * A cpio segment that gives an image its work for one run: append it to the image's bytes at a multiple of four
 * (QEMU's `-initrd` takes one file, boot loaders take several). The kernel unpacks segments in order, so the
 * image itself stays unchanged and cacheable.
 *
 * @example
 * ```ts
 * import { jobSegment } from "@justenough/initramfs";
 * console.log(jobSegment({ args: ["uname", "-r"], token: "0c0ffee0" }).length % 4); // 0
 * ```
 */
export function jobSegment(job: InitRecords): Uint8Array {
  return encodeCpio(
    [
      { type: "directory", name: "etc" },
      { type: "directory", name: "etc/appliance" },
      { type: "file", name: "etc/appliance/job", data: encodeRecords(job) },
    ],
    { blockSize: 4 },
  );
}
