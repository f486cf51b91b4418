import { spawn, type ChildProcess, type StdioNull, type StdioPipe } from "node:child_process";
import { constants } from "node:os";
import type { Duplex, Readable } from "node:stream";
import { QemuError } from "../errors.ts";

/** What keeps the child from outliving us when we are killed and can run no code. */
export type Guard = "pdeathsig" | "reaper";

export interface GuardedChild {
  readonly process: ChildProcess;
  readonly stderr: Readable;
  readonly stdout: Readable;
  /** The socket at the child's file descriptor `fd`, from 3 on. */
  channel(fd: number): Duplex;
  /** Resolves after the child has ended and all its output has been read. */
  readonly closed: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  terminate(): void;
  kill(): void;
}

/**
 * `setpriv` (util-linux) makes the kernel kill the child when we die. The shell closes the gap between fork and
 * prctl(2): had we died in it, the shell would have another parent by now.
 */
const PDEATHSIG_SCRIPT = `[ "$PPID" = "$0" ] || exit 1; exec "$@"`;

/**
 * Without setpriv: a shell holds the other end of a pipe of ours (file descriptor 9, the last that a shell can name) and kills the child when that
 * end closes, which the system does for us even after SIGKILL.
 */
const REAPER_SCRIPT = `
"$@" 9<&- &
child=$!
trap 'kill -TERM $child 2>/dev/null' TERM
(trap '' TERM; exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- >/dev/null 2>&1; read -r line; kill -KILL $child) <&9 2>/dev/null &
watch=$!
while :; do
  wait $child; status=$?
  kill -0 $child 2>/dev/null || break
done
kill -KILL $watch 2>/dev/null
exit $status`;

const REAPER_FD = 9;

type Stdio = StdioNull | StdioPipe;

/** A crash of QEMU must not leave a core file as large as its guest. */
const NO_CORE = "ulimit -c 0; ";

let detected: Promise<Guard> | undefined;

/** `pdeathsig` when a setpriv that can do it is in PATH, which is so on every Linux with util-linux. */
export function detectGuard(): Promise<Guard> {
  detected ??= new Promise((resolve) => {
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "true"], { stdio: "ignore" });
    child.once("error", () => resolve("reaper"));
    child.once("exit", (code) => resolve(code === 0 ? "pdeathsig" : "reaper"));
  });
  return detected;
}

/**
 * Starts a command that can't outlive this process, in a session of its own so that Ctrl-C reaches only us.
 *
 * @param channels - Number of sockets to hand over, at the child's descriptors 3, 4, … 8
 * @param more - Number of those from 10 on
 */
export function spawnGuarded(
  guard: Guard,
  command: readonly string[],
  channels: number,
  more = 0,
): GuardedChild {
  const pipes = (length: number): "pipe"[] => Array.from({ length }, () => "pipe");
  const stdio: Stdio[] = ["ignore", "pipe", "pipe", ...pipes(channels)];
  const line =
    guard === "pdeathsig"
      ? [
          "setpriv",
          "--pdeathsig",
          "KILL",
          "--",
          "sh",
          "-c",
          NO_CORE + PDEATHSIG_SCRIPT,
          String(process.pid),
          ...command,
        ]
      : ["sh", "-c", NO_CORE + REAPER_SCRIPT, "sh", ...command];
  if (guard === "reaper" || more > 0) {
    while (stdio.length < REAPER_FD) stdio.push("ignore");
    stdio.push(guard === "reaper" ? "pipe" : "ignore", ...pipes(more));
  }
  const child = startProcess(line, stdio);
  // A write to a QEMU that has just ended must not bring the whole process down; the end itself is reported by `close`.
  for (const stream of child.stdio) stream?.on("error", () => undefined);
  // A helper that outlived QEMU would keep its pipes open, and `close` would never come.
  child.once("exit", () => killGroup(child));
  const closed = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("error", () => resolve({ code: 127, signal: null }));
    child.once("close", (code, signal) =>
      resolve(signal === null ? decodeStatus(guard, code) : { code, signal }),
    );
  });
  return {
    process: child,
    stdout: child.stdout as Readable,
    stderr: child.stderr as Readable,
    channel: (fd) => (child.stdio as unknown as Duplex[])[fd] as Duplex,
    closed,
    terminate: () => void child.kill("SIGTERM"),
    kill: () => {
      // After its end the number may be another's.
      if (child.exitCode === null && child.signalCode === null) killGroup(child);
    },
  };
}

/** Without a descriptor left, Node.js hands out a child that has no streams. */
function startProcess([file = "", ...args]: readonly string[], stdio: Stdio[]): ChildProcess {
  const child = spawn(file, args, { stdio, detached: true });
  if ((child.stdio as unknown) !== undefined) return child;
  child.on("error", () => undefined);
  throw new QemuError(
    "QEMU_START_FAILED",
    "QEMU was not started: this process has no file descriptors left",
    {
      hint: `Raise the limit (ulimit -n), or start fewer machines at once: each takes ${stdio.length}`,
    },
  );
}

/** The child leads a group of its own (`detached`), which has its helpers and, with the reaper, QEMU itself. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** A shell tells of a child that was ended by a signal with 128 + its number. */
function decodeStatus(
  guard: Guard,
  code: number | null,
): { code: number | null; signal: NodeJS.Signals | null } {
  if (guard === "pdeathsig" || code === null || code <= 128) return { code, signal: null };
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return name === undefined ? { code, signal: null } : { code: null, signal: name as NodeJS.Signals };
}
