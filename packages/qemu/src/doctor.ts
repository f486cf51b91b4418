import type { CpuState } from "./cpu-state.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { Machine } from "./machine.ts";
import type { BootPhase } from "./boot-phase.ts";
import type { BootEnd } from "./result.ts";

/** All that is known of a boot that has ended. */
export interface Evidence {
  readonly end: BootEnd;
  readonly phase: BootPhase;
  readonly machine: Machine;
  /** Found on the console. */
  readonly symptoms: readonly Diagnosis[];
  /** The kernel said that it unpacks an initramfs. */
  readonly unpacking: boolean;
  /** The processors just before the end, as often as they were looked at. */
  readonly cpus: readonly (readonly CpuState[])[];
}

/** Causes from all that is known, the most telling first. Pure. */
export function diagnose(evidence: Evidence): Diagnosis[] {
  return [...initrdIgnored(evidence), ...evidence.symptoms, ...stillness(evidence)];
}

function initrdIgnored({ machine, symptoms, unpacking }: Evidence): Diagnosis[] {
  const quiet = /\b(?:quiet|loglevel=[0-5])\b/.test(machine.cmdline);
  if (machine.initrd.length === 0 || unpacking || quiet) return [];
  if (!symptoms.some(({ id }) => id === "no-init" || id === "root-device")) return [];
  return [
    {
      id: "initrd-ignored",
      message: "The kernel did not look at its initramfs.",
      hint: "Build it with CONFIG_BLK_DEV_INITRD=y",
    },
  ];
}

/** What the processors of a machine do that is out of time. */
function stillness({ end, cpus: looks }: Evidence): Diagnosis[] {
  if (end.kind !== "timeout" && end.kind !== "no-console") return [];
  const seen = looks.flat();
  if (seen.length === 0 || seen.some(({ halted }) => halted === undefined)) return [];
  const stuck = (looks[0] ?? []).filter((_, index) => looks.every((look) => isStuck(look[index])));
  const runs = stuck.find(({ halted }) => halted !== true);
  if (runs !== undefined) {
    return [
      {
        id: "interrupts-off",
        message: `The kernel runs with interrupts off, at ${runs.pc}, and does not come back.`,
        hint: "A driver loops: boot with nokaslr, and addr2line -e vmlinux names the function",
      },
    ];
  }
  if (stuck.length > 0 && stuck.length === looks[0]?.length) {
    return [
      {
        id: "halted",
        message: "The processors are halted with interrupts off: nothing can wake them.",
        hint: "The guest has ended without powering off, or its kernel gave up before it had a console",
      },
    ];
  }
  // A timer's interrupt now and then is no work.
  const idle = looks.filter((look) => look.every(({ halted }) => halted === true)).length;
  if (idle > looks.length / 2) {
    return [
      {
        id: "idle",
        message: "It is idle: it waits for something that does not come.",
        hint: "Input, a device or the network: the last lines of the console may tell",
      },
    ];
  }
  // A program is interrupted now and then, too.
  if (seen.some(({ user }) => user === true))
    return [{ id: "busy-program", message: "A program in it is computing.", hint: "Give it more time" }];
  if (seen.every(({ halted, user }) => halted === false && user === false)) {
    return [
      {
        id: "busy-kernel",
        message: "Its kernel is busy, or has given up and cannot say so.",
        hint: "On a PC earlyprintk=ttyS0 shows what a kernel says before it has its console",
      },
    ];
  }
  return [];
}

/** In the kernel, where no interrupt reaches it. */
function isStuck(cpu: CpuState | undefined): boolean {
  return cpu !== undefined && cpu.user !== true && cpu.interrupts === false;
}
