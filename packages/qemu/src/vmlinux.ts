import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import { unpackLz4Legacy } from "./internal/lz4-legacy.ts";

const MOST = 1 << 30;

/** By the first bytes, as scripts/extract-vmlinux of the kernel knows them. */
const FORMATS: readonly { readonly magic: readonly number[]; readonly program?: readonly string[] }[] = [
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], program: ["xz", "-dc"] },
  { magic: [0x5d, 0x00, 0x00], program: ["xz", "--format=lzma", "-dc"] },
  { magic: [0x42, 0x5a, 0x68], program: ["bzip2", "-dc"] },
  { magic: [0x89, 0x4c, 0x5a, 0x4f, 0x00], program: ["lzop", "-dc"] },
];

/**
 * The vmlinux inside a bzImage, as its own code would unpack it into memory: payload_offset and payload_length of
 * Documentation/arch/x86/boot.rst. Undefined when the bytes are no such image, or the program that unpacks its format (xz,
 * bzip2, lzop) is not installed.
 *
 * @example
 * ```ts no-run
 * import { readFile, writeFile } from "node:fs/promises";
 * import { unpackVmlinux } from "@justenough/qemu";
 * const vmlinux = await unpackVmlinux(await readFile("bzImage"));
 * if (vmlinux !== undefined) await writeFile("vmlinux", vmlinux);
 * ```
 */
export async function unpackVmlinux(bzImage: Uint8Array): Promise<Uint8Array | undefined> {
  const payload = payloadOf(bzImage);
  if (payload === undefined) return undefined;
  const vmlinux = await unpack(payload).catch(() => undefined);
  return vmlinux !== undefined && isElf(vmlinux) ? vmlinux : undefined;
}

function payloadOf(image: Uint8Array): Uint8Array | undefined {
  if (image.length < 0x250) return undefined;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  // "HdrS"; the payload's place came with version 2.08 of the protocol.
  if (view.getUint32(0x202, true) !== 0x53726448 || view.getUint16(0x206, true) < 0x208) return undefined;
  const start = ((view.getUint8(0x1f1) || 4) + 1) * 512 + view.getUint32(0x248, true);
  const length = view.getUint32(0x24c, true);
  return length < 8 || start + length > image.length ? undefined : image.subarray(start, start + length);
}

async function unpack(payload: Uint8Array): Promise<Uint8Array | undefined> {
  // All formats have the size behind them: gzip by itself, the others by Kbuild (size_append in scripts/Makefile.lib).
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const size = view.getUint32(payload.length - 4, true);
  const packed = payload.subarray(0, -4);
  const is = (...magic: number[]): boolean => magic.every((byte, index) => payload[index] === byte);
  if (size > MOST) return undefined;
  if (is(0x7f, 0x45, 0x4c, 0x46)) return payload;
  if (is(0x1f, 0x8b)) return promisify(gunzip)(payload, { maxOutputLength: MOST });
  if (is(0x28, 0xb5, 0x2f, 0xfd)) return promisify(zstdDecompress)(packed, { maxOutputLength: MOST });
  if (is(0x02, 0x21, 0x4c, 0x18)) return unpackLz4Legacy(packed, size);
  const [program, ...args] = FORMATS.find(({ magic }) => is(...magic))?.program ?? [];
  return program === undefined ? undefined : pipe(program, args, packed);
}

function pipe(program: string, args: readonly string[], input: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const options = { encoding: "buffer", maxBuffer: MOST } as const;
    const child = execFile(program, args, options, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
    // A program that ends early says so by its exit status.
    child.stdin?.on("error", () => undefined).end(input);
  });
}

function isElf(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, 6).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]));
}

/** PHYS32_ENTRY of include/xen/interface/elfnote.h: where a virtual machine may enter the kernel, 32 bits, no paging. */
const PVH_ENTRY = 18;

/** Whether a vmlinux (ELF64, little-endian) can be started by its PVH entry: CONFIG_PVH. */
export function hasPvhEntry(vmlinux: Uint8Array): boolean {
  const view = new DataView(vmlinux.buffer, vmlinux.byteOffset, vmlinux.byteLength);
  try {
    const table = Number(view.getBigUint64(0x20, true));
    const [size, count] = [view.getUint16(0x36, true), view.getUint16(0x38, true)];
    for (let index = 0; index < count; index++) {
      const header = table + index * size;
      const isNote = view.getUint32(header, true) === 4;
      if (isNote && hasNote(view, header)) return true;
    }
  } catch {
    // A table beyond the end: no kernel.
  }
  return false;
}

function hasNote(view: DataView, header: number): boolean {
  let at = Number(view.getBigUint64(header + 8, true));
  const end = at + Number(view.getBigUint64(header + 32, true));
  const padded = (length: number): number => Math.ceil(length / 4) * 4;
  while (at + 12 <= end) {
    const [name, description, type] = [0, 4, 8].map((field) => view.getUint32(at + field, true));
    // "Xen\0"
    if (type === PVH_ENTRY && name === 4 && view.getUint32(at + 12, true) === 0x006e6558) return true;
    at += 12 + padded(name ?? 0) + padded(description ?? 0);
  }
  return false;
}
