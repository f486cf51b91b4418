import type { Arch } from "../arch.ts";

/**
 * Turns absolute addresses back to relative ones, in place; gives how many bytes are done, as the last few may be the
 * beginning of what it looks for.
 */
export type BranchFilter = (bytes: Uint8Array) => number;

/**
 * The branch filters of the xz file format (5.3.2) that a kernel knows. Which ones are built in is up to
 * CONFIG_XZ_DEC_…, lib/xz/Kconfig. This is what Debian's have: that of the own machine, and from Linux 6.12 on, where
 * they came, those for ARM64 and RISC-V on every machine.
 */
export function branchFilter(id: number, arch: Arch, kernel: string | undefined): BranchFilter | undefined {
  if (id === 4) return arch === "x86_64" ? x86 : undefined;
  if (olderThan612(kernel)) return undefined;
  return id === 10 ? arm64 : id === 11 ? riscv : undefined;
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

/** JAL to x1 or x5, and AUIPC with the instruction after it, which the encoder had swapped with its address. */
function riscv(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 8 <= bytes.length) {
    const word = view.getUint32(at, true);
    if ((word & 0xff) === 0xef) {
      at += (word & 0xd00) === 0 ? jal(view, at, word) : 2;
    } else if ((word & 0x7f) === 0x17) {
      at += auipc(view, at, word);
    } else {
      at += 2;
    }
  }
  return at;
}

/** The encoder had put the bits of the address in order, highest first. */
function jal(view: DataView, at: number, word: number): number {
  const absolute = ((word & 0xf000) << 5) | ((word & 0xff0000) >> 7) | ((word >>> 23) & 0x1fe);
  const to = absolute - at;
  const low = (word & 0xfff) | (((to >> 12) & 15) << 12);
  const high =
    ((to >> 16) & 15) | (((to >> 11) & 1) << 4) | (((to >> 1) & 0x3ff) << 5) | (((to >> 20) & 1) << 15);
  view.setUint16(at, low, true);
  view.setUint16(at + 2, high, true);
  return 4;
}

function auipc(view: DataView, at: number, word: number): number {
  if ((word & 0xe80) !== 0) {
    // An AUIPC as it was: one that the encoder had to mark, or one that does not belong to what follows.
    const next = view.getUint32(at + 4, true);
    if ((((word << 8) ^ (next - 3)) & 0xf8003) !== 0) return 6;
    view.setUint32(at, 0x117 | (next << 12), true);
    view.setUint32(at + 4, (word & 0xfffff000) + (next >>> 20), true);
    return 8;
  }
  const register = word >>> 27;
  if (((word - 0x3117) << 18) >>> 0 >= (register & 0x1d)) return 4;
  const to = view.getUint32(at + 4) - at;
  view.setUint32(at + 4, (word >>> 12) | (to << 20), true);
  view.setUint32(at, 0x17 | (register << 7) | ((to + 0x800) & 0xfffff000), true);
  return 8;
}
