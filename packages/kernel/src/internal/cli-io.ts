import type { KernelProgress } from "../context.ts";
import { isNotice } from "./notice.ts";

/** Where a command reads and writes; a test gives its own. */
export interface CliIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether stderr is a terminal. */
  readonly terminal: boolean;
}

export const processIo: CliIo = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  terminal: process.stderr.isTTY && process.env["TERM"] !== "dumb",
};

/** Shows progress on stderr: one line that is rewritten on a terminal, else a plain line now and then. */
export function progressPrinter(io: CliIo): {
  readonly show: (event: KernelProgress) => void;
  readonly end: () => void;
} {
  let open = false;
  let lastPhase = "";
  let lastTime = 0;
  return {
    show: (event) => {
      if (isNotice(event)) {
        io.stderr(`${open ? "\n" : ""}note: ${event.message ?? ""}\n`);
        open = false;
        return;
      }
      const now = Date.now();
      const fresh = event.phase !== lastPhase;
      const complete = event.total !== undefined && event.done === event.total;
      if (!fresh && !complete && now - lastTime < (io.terminal ? 100 : 10_000)) return;
      const text = describe(event);
      if (io.terminal) {
        io.stderr(`${fresh && open ? "\n" : ""}\r\u001B[K${text}`);
        open = true;
      } else io.stderr(`${text}\n`);
      lastPhase = event.phase;
      lastTime = now;
    },
    end: () => {
      if (open) io.stderr("\n");
      open = false;
    },
  };
}

function describe(event: KernelProgress): string {
  const { phase, done, total, unit, message } = event;
  const about = message === undefined ? "" : `  ${message}`;
  if (unit === "steps") return `${phase}${about}`;
  const amount = (count: number): string =>
    unit === "bytes" ? `${(count / 1e6).toFixed(1)} MB` : `${count}`;
  const noun = unit === "bytes" ? "" : ` ${unit}`;
  if (total === undefined) return `${phase} ${amount(done)}${noun}${about}`;
  const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
  return `${phase} ${percent} % (${amount(done)} of ${amount(total)}${noun})${about}`;
}
