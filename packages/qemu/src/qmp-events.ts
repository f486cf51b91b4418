import type { QmpJobStatus, QmpMigrationStatus } from "./qmp-commands.ts";

type None = Readonly<Record<string, never>>;

export type QmpShutdownCause =
  | "none"
  | "host-error"
  | "host-qmp-quit"
  | "host-qmp-system-reset"
  | "host-signal"
  | "host-ui"
  | "guest-shutdown"
  | "guest-reset"
  | "guest-panic"
  | "subsystem-reset"
  | "snapshot-load";

interface End {
  /** The guest asked for it. */
  readonly guest: boolean;
  readonly reason: QmpShutdownCause;
}

interface Panic {
  readonly action: "pause" | "poweroff" | "run";
}

interface BlockJob {
  readonly type: string;
  readonly device: string;
  readonly len: number;
  readonly offset: number;
  readonly speed: number;
}

interface ByPath {
  readonly device?: string;
  readonly path: string;
}

/** The data of the events whose shape is known here, as QEMU's qapi/*.json has them since 7.1. */
export interface QmpEvents {
  readonly SHUTDOWN: End;
  readonly RESET: End;
  readonly POWERDOWN: None;
  readonly STOP: None;
  readonly RESUME: None;
  readonly SUSPEND: None;
  readonly SUSPEND_DISK: None;
  readonly WAKEUP: None;
  readonly WATCHDOG: {
    readonly action: "reset" | "shutdown" | "poweroff" | "pause" | "debug" | "none" | "inject-nmi";
  };
  readonly GUEST_PANICKED: Panic;
  readonly GUEST_CRASHLOADED: Panic;
  readonly DEVICE_DELETED: ByPath;
  readonly DEVICE_UNPLUG_GUEST_ERROR: ByPath;
  readonly DEVICE_TRAY_MOVED: { readonly device: string; readonly id: string; readonly "tray-open": boolean };
  readonly VSERPORT_CHANGE: { readonly id: string; readonly open: boolean };
  readonly NIC_RX_FILTER_CHANGED: { readonly name?: string; readonly path: string };
  readonly NETDEV_STREAM_CONNECTED: { readonly "netdev-id": string };
  readonly NETDEV_STREAM_DISCONNECTED: { readonly "netdev-id": string };
  readonly BALLOON_CHANGE: { readonly actual: number };
  readonly RTC_CHANGE: { readonly offset: number };
  readonly MIGRATION: { readonly status: QmpMigrationStatus };
  readonly MIGRATION_PASS: { readonly pass: number };
  readonly JOB_STATUS_CHANGE: { readonly id: string; readonly status: QmpJobStatus };
  readonly BLOCK_JOB_READY: BlockJob;
  readonly BLOCK_JOB_COMPLETED: BlockJob & { readonly error?: string };
  readonly BLOCK_IO_ERROR: {
    readonly device: string;
    readonly "node-name"?: string;
    readonly operation: "read" | "write";
    readonly action: "ignore" | "report" | "stop";
    readonly nospace?: boolean;
    readonly reason: string;
  };
  readonly DUMP_COMPLETED: {
    readonly result: { readonly status: "none" | "active" | "completed" | "failed" };
    readonly error?: string;
  };
}

/** An asynchronous message of QEMU, e.g. `{ event: "SHUTDOWN", data: { guest: true, reason: "guest-shutdown" } }`. */
export interface QmpEvent<Name extends string = string> {
  readonly event: Name;
  readonly data: Name extends keyof QmpEvents ? QmpEvents[Name] : Readonly<Record<string, unknown>>;
  /** Seconds and microseconds of the host's clock, as QEMU stamped it. */
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
}
