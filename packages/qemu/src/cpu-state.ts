import type { Arch } from "./machine.ts";
import type { QmpClient } from "./qmp.ts";

/** What one virtual processor is doing. */
export interface CpuState {
  /** The program counter, as `0x…`. */
  readonly pc: string;
  /** Whether it waits for an interrupt; unknown where QEMU does not say (arm64, riscv64). */
  readonly halted?: boolean;
  /** Whether an interrupt would reach it. */
  readonly interrupts?: boolean;
  /** Whether it runs a program, not the kernel. */
  readonly user?: boolean;
}

/** EFLAGS.IF, and PSTATE.I, which masks. */
const X86_IF = 0x200;
const ARM64_I = 0x80;

/** The state of all processors, from the monitor's `info registers -a`. */
export async function readCpus(qmp: QmpClient, arch: Arch): Promise<CpuState[]> {
  const text = await qmp.execute("human-monitor-command", { "command-line": "info registers -a" });
  return parseRegisters(text, arch);
}

/** Pure. A processor whose counter is not told is left out. */
export function parseRegisters(text: string, arch: Arch): CpuState[] {
  return text
    .split(/^\s*CPU#\d+/m)
    .slice(1)
    .flatMap((cpu) => {
      const pc = /\b(?:[RE]IP|PC|pc)[= ]\s*([0-9a-f]{8,16})\b/.exec(cpu)?.[1];
      return pc === undefined ? [] : [{ pc: `0x${pc}`, ...flags(cpu, arch) }];
    });
}

function flags(cpu: string, arch: Arch): Omit<CpuState, "pc"> {
  if (arch === "x86_64") {
    const match = /\b[ER]FL=([0-9a-f]+) .*\bCPL=(\d) .*\bHLT=(\d)/.exec(cpu);
    if (match === null) return {};
    const [, eflags = "0", cpl, hlt] = match;
    return {
      halted: hlt === "1",
      interrupts: (Number.parseInt(eflags, 16) & X86_IF) !== 0,
      user: cpl === "3",
    };
  }
  const pstate = /\bPSTATE=([0-9a-f]+) \S+ .*?\bEL(\d)/.exec(cpu);
  if (pstate === null) return {};
  return { interrupts: (Number.parseInt(pstate[1] ?? "0", 16) & ARM64_I) === 0, user: pstate[2] === "0" };
}
