import type { Arch } from "../arch.ts";

/**
 * Turns absolute addresses back to relative ones, in place; gives how many bytes are done, as the last few may be the
 * beginning of what it looks for.
 */
export type BranchFilter = (bytes: Uint8Array) => number;

/**
 * The branch filters of the xz file format (5.3.2) that a kernel knows: that of its own machine. Which ones are built in
 * is up to CONFIG_XZ_DEC_…, lib/xz/Kconfig; Debian, for one, leaves out the others. That for ARM64 came with Linux 6.12,
 * as did the one for RISC-V, which is not here yet.
 */
export function branchFilter(id: number, arch: Arch, kernel: string | undefined): BranchFilter | undefined {
  if (id === 4 && arch === "x86_64") return x86;
  if (id === 10 && arch === "arm64" && !olderThan612(kernel)) return arm64;
  return undefined;
}

function olderThan612(kernel = ""): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  return major !== undefined && (Number(major) < 6 || (Number(major) === 6 && Number(minor) < 12));
}

/**
 * CALL and JMP with an address of 32 bits. An opcode that stands in the bytes of an address is none; how far back one
 * was met is remembered in three bits, and with some of them the encoder had left the address as it was.
 */
function x86(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let seen = 0;
  let last = -5;
  let at = 0;
  for (; at + 5 <= bytes.length; at++) {
    if (((bytes[at] as number) & 0xfe) !== 0xe8) continue;
    const gap = at - last;
    last = at;
    seen = gap > 3 ? 0 : (seen << (gap - 1)) & 7;
    if (seen !== 0) {
      const byte = bytes[at + 4 - (OLDEST[seen] as number)] as number;
      if (seen === 3 || seen > 4 || isSign(byte)) {
        seen = (seen << 1) | 1;
        continue;
      }
    }
    if (!isSign(bytes[at + 4] as number)) {
      seen = (seen << 1) | 1;
      continue;
    }
    let address = view.getUint32(at + 1, true);
    for (;;) {
      const relative = (address - (at + 5)) >>> 0;
      const shift = 24 - (OLDEST[seen] as number) * 8;
      if (seen === 0 || !isSign((relative >>> shift) & 0xff)) {
        address = relative;
        break;
      }
      address = (relative ^ (2 ** (shift + 8) - 1)) >>> 0;
    }
    view.setUint32(at + 1, (address & 0x1000000) === 0 ? address & 0x1ffffff : address | 0xfe000000, true);
    at += 4;
  }
  return at;
}

/** For each pattern of met opcodes, how many bytes before its end an address has the byte that tells. */
const OLDEST = [0, 1, 2, 2, 3, 3, 3, 3];

function isSign(byte: number): boolean {
  return byte === 0 || byte === 0xff;
}

/** BL, and ADRP within ±512 MiB. */
function arm64(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    const word = view.getUint32(at, true);
    if (word >>> 26 === 0x25) {
      view.setUint32(at, 0x94000000 | ((word - (at >>> 2)) & 0x3ffffff), true);
    } else if ((word & 0x9f000000) >>> 0 === 0x90000000) {
      const page = ((word >>> 29) & 3) | ((word >>> 3) & 0x1ffffc);
      if (((page + 0x20000) & 0x1c0000) !== 0) continue;
      const to = page - (at >>> 12);
      const sign = (to & 0x20000) === 0 ? 0 : 0xe00000;
      view.setUint32(at, (word & 0x9000001f) | ((to & 3) << 29) | ((to & 0x3fffc) << 3) | sign, true);
    }
  }
  return at;
}
