import { spawn, type ChildProcess } from "node:child_process";
import { Duplex } from "node:stream";

export interface BareQemu {
  readonly process: ChildProcess;
  /** Its monitor, QMP. */
  readonly monitor: Duplex;
}

/** A QEMU, by default without a machine, its monitor on standard input and output. */
export function bareQemu(...args: string[]): BareQemu {
  const child = spawn(
    "qemu-system-x86_64",
    ["-M", "none", "-nodefaults", "-display", "none", "-qmp", "stdio", ...args],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  return { process: child, monitor: Duplex.from({ readable: child.stdout, writable: child.stdin }) };
}
