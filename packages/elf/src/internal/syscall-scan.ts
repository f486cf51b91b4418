import { readX86 } from "./x86-instruction.ts";
import type { X86Instruction } from "./x86-instruction.ts";

/** A call, by its place in the code. */
export interface FoundCall {
  readonly at: number;
  /** Undefined: the register was not seen to get a constant. */
  readonly number: number | undefined;
}

/** Goes through code piece by piece; each piece begins where the last one ended. */
export interface SyscallScan {
  /** Takes the bytes at a place in the code and returns how many of them are done; `last`: there are no more. */
  readonly take: (bytes: Uint8Array, place: number, last: boolean) => number;
  readonly found: readonly FoundCall[];
}

/** More than any kernel has. */
const LIMIT = 1024;
/** For how many instructions a number is remembered: arguments are loaded between it and the call. */
const MEMORY = 16;
/** No instruction is longer. */
const LONGEST = 15;

/** What an instruction does to the register that holds the number: undefined for nothing. */
type Effect = { readonly value: number | undefined } | undefined;

class Register {
  #value: number | undefined;
  #age = 0;

  apply(effect: Effect): void {
    this.#age += 1;
    if (effect === undefined) return;
    this.#value = effect.value;
    this.#age = 0;
  }

  get value(): number | undefined {
    return this.#age < MEMORY && this.#value !== undefined && this.#value < LIMIT ? this.#value : undefined;
  }
}

export function scanX86(): SyscallScan {
  const found: FoundCall[] = [];
  const eax = new Register();
  return {
    found,
    take: (bytes, place, last) => {
      const end = last ? bytes.length : bytes.length - LONGEST;
      let at = 0;
      while (at < end) {
        const instruction = readX86(bytes, at);
        if (instruction.map === 1 && instruction.opcode === 0x05) {
          // Its two bytes are the last of it, behind any prefix.
          found.push({ at: place + at + instruction.length - 2, number: eax.value });
          eax.apply({ value: undefined });
        } else eax.apply(effectOnEax(instruction, bytes));
        at += instruction.length;
      }
      return Math.min(at, bytes.length);
    },
  };
}

// imul, movzx, movsx, popcnt, bsf and bsr; cvtss2si, movmskps, pextrw and pmovmskb with their kin.
const INTO_REGISTER = new Set([0xaf, 0xb6, 0xb7, 0xb8, 0xbc, 0xbd, 0xbe, 0xbf, 0x2c, 0x2d, 0x50, 0xc5, 0xd7]);

const UNKNOWN: Effect = { value: undefined };

function effectOnEax({ map, opcode, modrm = 0, rex, immediate }: X86Instruction, code: Uint8Array): Effect {
  // Register 0, unless REX makes it the eighth.
  const target = modrm >> 6 === 3 && (modrm & 7) === 0 && (rex & 1) === 0;
  const register = (modrm & 0x38) === 0 && (rex & 4) === 0;
  const operation = (modrm >> 3) & 7;
  if (map === 1) {
    // Calls of another kind; cpuid, rdtsc, rdmsr and rdpmc; cmpxchg.
    if ([0x05, 0x31, 0x32, 0x33, 0xa2, 0xb0, 0xb1, 0xc7].includes(opcode)) return UNKNOWN;
    // xgetbv and rdtscp.
    if (opcode === 0x01 && (modrm === 0xd0 || modrm === 0xf9)) return UNKNOWN;
    // Conditional moves and the like into a register, and what comes out of a vector.
    if ((opcode & 0xf0) === 0x40 || INTO_REGISTER.has(opcode)) return register ? UNKNOWN : undefined;
    if (opcode === 0x7e) return target ? UNKNOWN : undefined;
    // endbr64 begins a function.
    if (opcode === 0x1e && modrm === 0xfa) return UNKNOWN;
    return ((opcode & 0xf0) === 0x90 || opcode === 0xc0 || opcode === 0xc1) && target ? UNKNOWN : undefined;
  }
  if (map !== 0) return undefined;
  if (opcode === 0xb8 && (rex & 1) === 0) return { value: constant(code, immediate) };
  if (opcode === 0xc7) return target ? { value: constant(code, immediate) } : undefined;
  if ((opcode === 0x31 || opcode === 0x33) && modrm === 0xc0 && (rex & 5) === 0) return { value: 0 };
  // ret, call, jmp: what stands before is another path.
  if (
    [0xc2, 0xc3, 0xe8, 0xe9, 0xeb].includes(opcode) ||
    (opcode === 0xff && operation > 1 && operation < 6)
  ) {
    return UNKNOWN;
  }
  if (opcode < 0x40) {
    const compares = opcode >= 0x38;
    if (compares) return undefined;
    const column = opcode & 7;
    return (column < 2 ? target : column < 4 ? register : column < 6) ? UNKNOWN : undefined;
  }
  // mov, lea, movsxd and imul into a register; mov from one; pop; in; cdqe; lods.
  if ([0x8b, 0x8a, 0x8d, 0x63, 0x69, 0x6b].includes(opcode)) return register ? UNKNOWN : undefined;
  if ([0x88, 0x89, 0x8f, 0xc6].includes(opcode)) return target ? UNKNOWN : undefined;
  if (opcode === 0x58) return (rex & 1) === 0 ? UNKNOWN : undefined;
  if ([0x98, 0xac, 0xad, 0xe4, 0xe5, 0xec, 0xed, 0xa0, 0xa1, 0xb0].includes(opcode)) return UNKNOWN;
  if (opcode > 0x90 && opcode < 0x98) return UNKNOWN; // xchg with eax
  if (opcode === 0x86 || opcode === 0x87) return target || register ? UNKNOWN : undefined;
  // Arithmetic with a constant, but cmp; shifts; not, neg, and mul and div, which have eax for their result.
  if (opcode >= 0x80 && opcode <= 0x83) return target && operation !== 7 ? UNKNOWN : undefined;
  if ([0xc0, 0xc1, 0xd0, 0xd1, 0xd2, 0xd3, 0xfe, 0xff].includes(opcode)) return target ? UNKNOWN : undefined;
  if (opcode === 0xf6 || opcode === 0xf7) {
    return operation > 3 || (operation > 1 && target) ? UNKNOWN : undefined;
  }
  return undefined;
}

function constant(code: Uint8Array, at: number): number {
  return new DataView(code.buffer, code.byteOffset).getUint32(at, true);
}

export function scanArm64(): SyscallScan {
  const found: FoundCall[] = [];
  const x8 = new Register();
  return {
    found,
    take: (bytes, place, last) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const end = bytes.length - (bytes.length % 4);
      for (let at = 0; at < end; at += 4) {
        const word = view.getUint32(at, true);
        if (word === 0xd400_0001) found.push({ at: place + at, number: x8.value });
        x8.apply(effectOnX8(word));
      }
      return last ? bytes.length : end;
    },
  };
}

function effectOnX8(word: number): Effect {
  // movz x8 or w8 with a constant that is not shifted
  if ((word & 0x7fe0_001f) === 0x5280_0008) return { value: (word >>> 5) & 0xffff };
  // ret, br, blr; b and bl: what stands before is another path.
  if ((word & 0xff9f_fc1f) >>> 0 === 0xd61f_0000 || (word & 0x7c00_0000) === 0x1400_0000) return UNKNOWN;
  if ((word & 0x1f) !== 8) return undefined;
  // Data processing writes its last five bits; loads do, stores do not (bit 22 of the usual forms); branches have none.
  const group = (word >>> 25) & 0xf;
  const processes = (group & 0b1110) === 0b1000 || (group & 0b0111) === 0b0101;
  const loads = (group & 0b0101) === 0b0100 && (word & (1 << 22)) !== 0 && (word & (1 << 26)) === 0;
  return processes || loads ? UNKNOWN : undefined;
}
