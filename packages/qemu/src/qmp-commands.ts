/** What most commands answer with. */
type Nothing = Readonly<Record<string, never>>;
type Empty = undefined;

interface Command<A, R> {
  readonly arguments: A;
  readonly return: R;
}

export type QmpRunState =
  | "debug"
  | "inmigrate"
  | "internal-error"
  | "io-error"
  | "paused"
  | "postmigrate"
  | "prelaunch"
  | "finish-migrate"
  | "restore-vm"
  | "running"
  | "save-vm"
  | "shutdown"
  | "suspended"
  | "watchdog"
  | "guest-panicked";

export type QmpMigrationStatus =
  | "none"
  | "setup"
  | "cancelling"
  | "cancelled"
  | "active"
  | "completed"
  | "failed"
  | "pre-switchover"
  | "device"
  | "wait-unplug"
  | "postcopy-active"
  | "postcopy-paused"
  | "postcopy-recover"
  | "colo";

export type QmpJobStatus =
  | "created"
  | "running"
  | "paused"
  | "ready"
  | "standby"
  | "waiting"
  | "pending"
  | "aborting"
  | "concluded"
  | "undefined"
  | "null";

interface ByDevice {
  readonly device?: string;
  readonly id?: string;
  readonly force?: boolean;
}

interface Range {
  readonly val: number;
  readonly size: number;
  readonly filename: string;
}

/** A node of the block layer, the fields that all versions have. */
interface BlockNode {
  readonly file: string;
  readonly "node-name"?: string;
  readonly ro: boolean;
  readonly drv: string;
  readonly image: { readonly filename: string; readonly format: string; readonly "virtual-size": number };
}

/**
 * The commands whose shape is known here, as QEMU's qapi/*.json has them since 7.1; fields that came later or went are left
 * out. Every other command is passed through with `unknown` as its result.
 */
export interface QmpCommands {
  // The machine.
  readonly "query-status": Command<Empty, { readonly status: QmpRunState; readonly running: boolean }>;
  readonly "query-version": Command<
    Empty,
    {
      readonly qemu: { readonly major: number; readonly minor: number; readonly micro: number };
      readonly package: string;
    }
  >;
  readonly "query-name": Command<Empty, { readonly name?: string }>;
  readonly "query-uuid": Command<Empty, { readonly UUID: string }>;
  readonly "query-kvm": Command<Empty, { readonly enabled: boolean; readonly present: boolean }>;
  readonly "query-commands": Command<Empty, readonly { readonly name: string }[]>;
  readonly "query-qmp-schema": Command<Empty, readonly unknown[]>;
  readonly "query-cpus-fast": Command<
    Empty,
    readonly { readonly "cpu-index": number; readonly "qom-path": string; readonly "thread-id": number }[]
  >;
  readonly "query-memory-size-summary": Command<
    Empty,
    { readonly "base-memory": number; readonly "plugged-memory"?: number }
  >;
  readonly "query-iothreads": Command<
    Empty,
    readonly { readonly id: string; readonly "thread-id": number }[]
  >;
  readonly "human-monitor-command": Command<{ readonly "command-line": string }, string>;
  readonly cont: Command<Empty, Nothing>;
  readonly stop: Command<Empty, Nothing>;
  readonly quit: Command<Empty, Nothing>;
  readonly system_powerdown: Command<Empty, Nothing>;
  readonly system_reset: Command<Empty, Nothing>;
  readonly system_wakeup: Command<Empty, Nothing>;
  readonly "inject-nmi": Command<Empty, Nothing>;
  readonly "set-action": Command<
    {
      readonly reboot?: "reset" | "shutdown";
      readonly shutdown?: "poweroff" | "pause";
      readonly panic?: "pause" | "shutdown" | "exit-failure" | "none";
      readonly watchdog?: "reset" | "shutdown" | "poweroff" | "pause" | "debug" | "none" | "inject-nmi";
    },
    Nothing
  >;

  // Screen, keyboard and memory. Addresses and sizes are in bytes; files are written by QEMU.
  readonly screendump: Command<
    {
      readonly filename: string;
      readonly device?: string;
      readonly head?: number;
      readonly format?: "ppm" | "png";
    },
    Nothing
  >;
  readonly "send-key": Command<
    {
      readonly keys: readonly { readonly type: "qcode" | "number"; readonly data: string | number }[];
      readonly "hold-time"?: number;
    },
    Nothing
  >;
  readonly memsave: Command<Range & { readonly "cpu-index"?: number }, Nothing>;
  readonly pmemsave: Command<Range, Nothing>;
  readonly "dump-guest-memory": Command<
    {
      readonly paging: boolean;
      readonly protocol: string;
      readonly detach?: boolean;
      readonly format?: "elf" | "kdump-zlib" | "kdump-lzo" | "kdump-snappy";
    },
    Nothing
  >;
  readonly "query-balloon": Command<Empty, { readonly actual: number }>;
  readonly balloon: Command<{ readonly value: number }, Nothing>;

  // Devices and objects.
  readonly device_add: Command<
    {
      readonly driver: string;
      readonly id?: string;
      readonly bus?: string;
      readonly [property: string]: unknown;
    },
    Nothing
  >;
  /** The device is gone only with the event DEVICE_DELETED. */
  readonly device_del: Command<{ readonly id: string }, Nothing>;
  readonly "object-add": Command<
    { readonly "qom-type": string; readonly id: string; readonly [property: string]: unknown },
    Nothing
  >;
  readonly "object-del": Command<{ readonly id: string }, Nothing>;
  readonly "qom-get": Command<{ readonly path: string; readonly property: string }, unknown>;
  readonly "qom-set": Command<
    { readonly path: string; readonly property: string; readonly value: unknown },
    Nothing
  >;
  readonly "qom-list": Command<
    { readonly path: string },
    readonly { readonly name: string; readonly type: string }[]
  >;

  // Disks.
  readonly "query-block": Command<
    Empty,
    readonly {
      readonly device: string;
      readonly qdev?: string;
      readonly removable: boolean;
      readonly locked: boolean;
      readonly tray_open?: boolean;
      readonly inserted?: BlockNode;
    }[]
  >;
  readonly "query-named-block-nodes": Command<{ readonly flat?: boolean } | Empty, readonly BlockNode[]>;
  readonly "blockdev-add": Command<
    {
      readonly driver: string;
      readonly "node-name"?: string;
      readonly "read-only"?: boolean;
      readonly [option: string]: unknown;
    },
    Nothing
  >;
  readonly "blockdev-del": Command<{ readonly "node-name": string }, Nothing>;
  /** A job: it has ended when JOB_STATUS_CHANGE says `concluded`, and its error is in query-jobs. */
  readonly "blockdev-create": Command<
    {
      readonly "job-id": string;
      readonly options: { readonly driver: string; readonly [option: string]: unknown };
    },
    Nothing
  >;
  readonly block_resize: Command<
    { readonly device?: string; readonly "node-name"?: string; readonly size: number },
    Nothing
  >;
  readonly "blockdev-change-medium": Command<
    ByDevice & {
      readonly filename: string;
      readonly format?: string;
      readonly "read-only-mode"?: "retain" | "read-only" | "read-write";
    },
    Nothing
  >;
  readonly eject: Command<ByDevice, Nothing>;
  readonly "query-jobs": Command<
    Empty,
    readonly {
      readonly id: string;
      readonly type: string;
      readonly status: QmpJobStatus;
      readonly "current-progress": number;
      readonly "total-progress": number;
      readonly error?: string;
    }[]
  >;
  readonly "job-cancel": Command<{ readonly id: string }, Nothing>;
  readonly "job-dismiss": Command<{ readonly id: string }, Nothing>;

  // Character devices and network.
  readonly "query-chardev": Command<
    Empty,
    readonly { readonly label: string; readonly filename: string; readonly "frontend-open": boolean }[]
  >;
  readonly set_link: Command<{ readonly name: string; readonly up: boolean }, Nothing>;
  readonly netdev_add: Command<
    { readonly id: string; readonly type: string; readonly [option: string]: unknown },
    Nothing
  >;
  readonly netdev_del: Command<{ readonly id: string }, Nothing>;

  // Migration, which is also how a machine is saved.
  readonly migrate: Command<{ readonly uri: string }, Nothing>;
  readonly "migrate-incoming": Command<{ readonly uri: string }, Nothing>;
  readonly migrate_cancel: Command<Empty, Nothing>;
  readonly "migrate-set-capabilities": Command<
    { readonly capabilities: readonly { readonly capability: string; readonly state: boolean }[] },
    Nothing
  >;
  readonly "migrate-set-parameters": Command<Readonly<Record<string, unknown>>, Nothing>;
  readonly "query-migrate": Command<
    Empty,
    {
      readonly status?: QmpMigrationStatus;
      readonly "total-time"?: number;
      readonly downtime?: number;
      readonly "error-desc"?: string;
      readonly ram?: { readonly transferred: number; readonly remaining: number; readonly total: number };
    }
  >;
  readonly yank: Command<
    {
      readonly instances: readonly (
        | { readonly type: "block-node"; readonly "node-name": string }
        | { readonly type: "chardev"; readonly id: string }
        | { readonly type: "migration" }
      )[];
    },
    Nothing
  >;
}
