/** How long an instruction of 64-bit x86 is: Intel's manual, volume 2, appendix A, as far as lengths need it. */

/** An instruction; offsets are from the start of the bytes it was read from. */
export interface X86Instruction {
  /** In bytes; 1 for bytes that are none. */
  readonly length: number;
  /** 0 for the one-byte opcodes, 1 for those after 0f, 2 and 3 for those after 0f 38 and 0f 3a. VEX and EVEX have -1. */
  readonly map: number;
  readonly opcode: number;
  /** The byte after the opcode that names registers; undefined where there is none. */
  readonly modrm: number | undefined;
  /** The last prefix before the opcode, 0x40 to 0x4f; 0 without. */
  readonly rex: number;
  /** Where the constant begins. */
  readonly immediate: number;
}

// A digit for each opcode: 0 nothing follows, 1 a byte, 2 two bytes, 4 four (or two with the prefix 66), m a ModRM byte,
// b ModRM and a byte, d ModRM and four (or two), 8 eight (REX.W) or four, a an address, e two bytes and one.
const ONE_BYTE =
  "mmmm1400mmmm1400" + // 00
  "mmmm1400mmmm1400" + // 10
  "mmmm1400mmmm1400" + // 20
  "mmmm1400mmmm1400" + // 30
  "0000000000000000" + // 40: REX
  "0000000000000000" + // 50
  "000m00004d1b0000" + // 60
  "1111111111111111" + // 70
  "bdbbmmmmmmmmmmmm" + // 80
  "0000000000000000" + // 90
  "aaaa000014000000" + // a0
  "1111111188888888" + // b0
  "bb2000bde0200100" + // c0
  "mmmm0000mmmmmmmm" + // d0
  "1111111144010000" + // e0
  "000000mm000000mm"; // f0
const TWO_BYTES =
  "mmmm000000000m0b" + // 00
  "mmmmmmmmmmmmmmmm" + // 10
  "mmmmmmmmmmmmmmmm" + // 20
  "0000000000000000" + // 30: 38 and 3a lead elsewhere
  "mmmmmmmmmmmmmmmm" + // 40
  "mmmmmmmmmmmmmmmm" + // 50
  "mmmmmmmmmmmmmmmm" + // 60
  "bbbbmmm0mmmmmmmm" + // 70
  "4444444444444444" + // 80
  "mmmmmmmmmmmmmmmm" + // 90
  "000mbm00000mbmmm" + // a0
  "mmmmmmmmmmbmmmmm" + // b0
  "mmbmbbbm00000000" + // c0
  "mmmmmmmmmmmmmmmm" + // d0
  "mmmmmmmmmmmmmmmm" + // e0
  "mmmmmmmmmmmmmmmm"; // f0

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** Reads the instruction at a place; what is cut off by the end counts as if zeros followed. */
export function readX86(code: Uint8Array, start: number): X86Instruction {
  const byte = (index: number): number => code[index] ?? 0;
  let at = start;
  let narrow = false;
  let shortAddress = false;
  while (PREFIXES.has(byte(at)) && at < start + 14) {
    narrow ||= byte(at) === 0x66;
    shortAddress ||= byte(at) === 0x67;
    at += 1;
  }
  const rex = (byte(at) & 0xf0) === 0x40 ? byte(at) : 0;
  if (rex !== 0) at += 1;
  const first = byte(at);
  if (rex === 0 && (first === 0xc4 || first === 0xc5 || first === 0x62))
    return readVex(byte, start, at, first);
  let map = 0;
  if (first === 0x0f) {
    at += 1;
    const second = byte(at);
    map = second === 0x38 ? 2 : second === 0x3a ? 3 : 1;
    if (map > 1) at += 1;
  }
  const opcode = byte(at);
  at += 1;
  const kind = map === 0 ? ONE_BYTE[opcode] : map === 1 ? TWO_BYTES[opcode] : map === 2 ? "m" : "b";
  let modrm: number | undefined;
  if (kind === "m" || kind === "b" || kind === "d") {
    modrm = byte(at);
    at += operandLength(byte, at);
  }
  // REX.W goes before 66.
  const word = narrow && (rex & 8) === 0 ? 2 : 4;
  const immediate = at;
  if (kind === "1" || kind === "b") at += 1;
  else if (kind === "2") at += 2;
  else if (kind === "e") at += 3;
  else if (kind === "4") at += map === 1 || opcode === 0xe8 || opcode === 0xe9 ? 4 : word;
  else if (kind === "d") at += word;
  else if (kind === "8") at += (rex & 8) !== 0 ? 8 : word;
  else if (kind === "a") at += shortAddress ? 4 : 8;
  // test has a constant, its neighbours of the same opcode have none.
  if (map === 0 && (opcode === 0xf6 || opcode === 0xf7) && ((modrm ?? 0) & 0x30) === 0) {
    at += opcode === 0xf6 ? 1 : word;
  }
  return { length: at - start, map, opcode, modrm, rex, immediate };
}

function readVex(byte: (index: number) => number, start: number, at: number, first: number): X86Instruction {
  // The map of opcodes is 0f itself, or in the second byte.
  const map = first === 0xc5 ? 1 : byte(at + 1) & (first === 0x62 ? 0x07 : 0x1f);
  let end = at + (first === 0xc5 ? 2 : first === 0xc4 ? 3 : 4);
  const opcode = byte(end);
  end += 1;
  const bare = first !== 0x62 && map === 1 && opcode === 0x77; // vzeroupper
  if (!bare) end += operandLength(byte, end);
  if (map === 3 || (map === 1 && TWO_BYTES[opcode] === "b")) end += 1;
  return { length: end - start, map: -1, opcode, modrm: undefined, rex: 0, immediate: end };
}

/** ModRM, what extends it, and the displacement. */
function operandLength(byte: (index: number) => number, at: number): number {
  const modrm = byte(at);
  const mod = modrm >> 6;
  if (mod === 3) return 1;
  const sib = (modrm & 7) === 4;
  const base = sib ? byte(at + 1) & 7 : modrm & 7;
  const displacement = mod === 1 ? 1 : mod === 2 || base === 5 ? 4 : 0;
  return 1 + (sib ? 1 : 0) + displacement;
}
