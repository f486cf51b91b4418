/** One step of something long; the same shape as the events of the packages below. */
export interface ApplianceProgress {
  /** What is being done, like "building the kernel". */
  readonly phase: string;
  readonly done: number;
  /** Absent when it cannot be known. */
  readonly total?: number | undefined;
  readonly unit: string;
  readonly message?: string | undefined;
}

/** What a progress display writes to. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressDisplay {
  readonly onProgress: (event: ApplianceProgress) => void;
  /** Takes the line away, so that something else can be printed. */
  readonly clear: () => void;
}

/**
 * Shows progress as one line that is rewritten on a terminal, and as sparse plain lines elsewhere:
 * one when a phase begins, then one every ten seconds.
 */
export function progressDisplay(stream: ProgressStream, now: () => number = Date.now): ProgressDisplay {
  let phase = "";
  let began = 0;
  let shown = 0;
  let lineOpen = false;
  const clear = (): void => {
    if (lineOpen) stream.write("\r\u001B[K");
    lineOpen = false;
  };
  const onProgress = (event: ApplianceProgress): void => {
    const time = now();
    const fresh = event.phase !== phase;
    if (fresh) [phase, began] = [event.phase, time];
    const every = stream.isTTY ? 80 : 10_000;
    const finished = event.total !== undefined && event.done === event.total;
    const worthAnEnd = stream.isTTY === true || time - began > every;
    if (!fresh && time - shown < every && !(finished && worthAnEnd)) return;
    shown = time;
    const line = progressLine(event, time - began);
    if (!stream.isTTY) {
      stream.write(`${line}\n`);
      return;
    }
    const room = (stream.columns || 80) - 1;
    stream.write(`\r\u001B[K${line.length > room ? `${line.slice(0, room - 1)}…` : line}`);
    lineOpen = true;
  };
  return { onProgress, clear };
}

/** "building the kernel: 120/580 objects (20 %), 31 s, kernel/fork.o". */
export function progressLine(event: ApplianceProgress, elapsed: number): string {
  const parts: string[] = [];
  if (event.total !== undefined && event.total > 0) {
    const percent = Math.floor((100 * event.done) / event.total);
    parts.push(
      `${amount(event.done, event.unit)}/${amount(event.total, event.unit)} ${unitName(event.unit)} (${percent} %)`,
    );
  } else if (event.done > 0) {
    parts.push(`${amount(event.done, event.unit)} ${unitName(event.unit)}`);
  }
  if (elapsed >= 1000) parts.push(`${Math.round(elapsed / 1000)} s`);
  if (event.message !== undefined && event.message !== "") parts.push(event.message);
  return parts.length === 0 ? event.phase : `${event.phase}: ${parts.join(", ")}`;
}

function amount(count: number, unit: string): string {
  return unit === "bytes" ? (count / 1e6).toFixed(1) : String(count);
}

function unitName(unit: string): string {
  return unit === "bytes" ? "MB" : unit;
}
