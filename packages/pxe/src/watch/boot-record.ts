/** The steps of a boot, in the order in which they mostly come. */
export type BootStepName =
  | "discover"
  | "offer"
  | "lease"
  | "loader"
  | "script"
  | "plan"
  | "kernel"
  | "initrd"
  /** The booted system's own DHCP client asks: a first sign of life. */
  | "system"
  | "booted"
  | "upload"
  | "result"
  | "failed";

/** One step; times in milliseconds since 1970. */
export interface BootStepRecord {
  readonly step: BootStepName;
  readonly began: number;
  readonly ended: number;
  readonly detail?: string;
  readonly via?: "http" | "tftp";
  readonly bytes?: number;
  readonly bytesPerSecond?: number;
  /** How long the client waited for this server within the step. */
  readonly serverMs?: number;
  /** How often the client did the same before something else came. */
  readonly times?: number;
  /** Discover: an iPXE asks, not the firmware. */
  readonly ipxe?: boolean;
}

/** How far a boot came. */
export type BootOutcome =
  | "running"
  /** Everything was fetched; nobody has called since. */
  | "loaded"
  | "booted"
  | "done"
  /** Sent to its local disk. */
  | "disk"
  /** It went no further than its last step. */
  | "stopped";

/** One boot of one machine. */
export interface BootRecord {
  readonly id: string;
  readonly mac: string;
  readonly began: number;
  readonly outcome: BootOutcome;
  readonly run?: string;
  readonly plan?: string;
  /** What the firmware said of itself. */
  readonly platform?: string;
  /** For how long it had asked in vain, by its first request's own count of seconds. */
  readonly deafMs?: number;
  readonly steps: readonly BootStepRecord[];
}
