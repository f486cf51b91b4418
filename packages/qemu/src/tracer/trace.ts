/** A kind of system call that a traced program made: number, result and the arguments that matter are together unique. */
export interface TracedCall {
  /** In the guest's own table, or that of another architecture that its processor can run too. */
  readonly number: number;
  readonly foreign: boolean;
  /** 0: it did not fail. */
  readonly errno: number;
  /** The first program that made it, as /proc/PID/comm names it. */
  readonly program: string;
  /** Path, type of file system, or numbers in hexadecimal, as assets/tracer/detail.c has them; empty for most calls. */
  readonly detail: string;
}

/** What a tracer told. */
export interface Trace {
  readonly calls: readonly TracedCall[];
  /** Whether the program and all that it started have ended, and every kind was told. */
  readonly complete: boolean;
}

/** Reads what the tracer writes to its device, until that ends. Lines that are damaged are left out: complete is then false. */
export async function readTrace(bytes: AsyncIterable<Uint8Array>): Promise<Trace> {
  const calls: TracedCall[] = [];
  let ended = false;
  let damaged = false;
  const take = (line: string): void => {
    const call = /^(call|foreign)\t(\d+)\t(\d+)\t([^\t]*)\t([^\t]*)$/.exec(line);
    const end = /^end\t(\d+)$/.exec(line);
    if (call !== null) {
      const [, kind, number, errno, program = "", detail = ""] = call;
      calls.push({
        number: Number(number),
        foreign: kind === "foreign",
        errno: Number(errno),
        program,
        detail,
      });
    } else if (end === null) damaged ||= line !== "";
    else {
      ended = true;
      damaged ||= end[1] !== "0";
    }
  };
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of bytes) {
    // The device may be a terminal, which writes CR LF.
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? "";
    lines.forEach(take);
  }
  damaged ||= rest !== "";
  return { calls, complete: ended && !damaged };
}
