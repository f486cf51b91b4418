/** What a program, and the children that it has waited for, took of the guest: wait4(2), struct rusage. */
export interface ExecUsage {
  /** Processor time in milliseconds, in the program and in the kernel on its behalf. */
  readonly userMs: number;
  readonly systemMs: number;
  /** The largest resident set, in KiB. */
  readonly maxResidentKiB: number;
  /** Page faults without and with input from a disk. */
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** Context switches because it waited, and because others had their turn. */
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

export const USAGE_BYTES = 56;

/** The last words of FRAME_END in assets/agent/frame.h. */
export function decodeUsage(bytes: Buffer): ExecUsage {
  const word = (index: number): number => Number(bytes.readBigUInt64LE(8 * index));
  return {
    userMs: word(0) / 1000,
    systemMs: word(1) / 1000,
    maxResidentKiB: word(2),
    minorFaults: word(3),
    majorFaults: word(4),
    voluntarySwitches: word(5),
    involuntarySwitches: word(6),
  };
}
