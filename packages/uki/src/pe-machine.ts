/** Processors that a PE file can be for, as the UEFI world calls them. */
export type PeMachine = "ia32" | "x64" | "arm32" | "arm64" | "riscv64" | "loongarch64" | "unknown";

/** Machine types of the COFF header (PE format specification, "Machine Types"). */
const MACHINES: ReadonlyMap<number, PeMachine> = new Map([
  [0x014c, "ia32"],
  [0x01c2, "arm32"],
  [0x5064, "riscv64"],
  [0x6264, "loongarch64"],
  [0x8664, "x64"],
  [0xaa64, "arm64"],
]);

export function peMachine(code: number): PeMachine {
  return MACHINES.get(code) ?? "unknown";
}
