import type { Agent, AgentOptions } from "./agent/agent.ts";
import type { Command } from "./argv.ts";
import type { AccelVerdict } from "./accel.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Forward, Machine } from "./machine.ts";
import type { QmpClient } from "./qmp.ts";
import type { BootResult } from "./result.ts";
import type { Screen } from "./screen.ts";
import type { SerialPort } from "./serial-port.ts";
import type { VirtualSwitch } from "./switch.ts";
import type { VirtioPort } from "./virtio-port.ts";

/** A running machine. Disposing it ends it; so does the end of this process, even by SIGKILL. */
export interface Vm extends AsyncDisposable {
  readonly machine: Machine;
  /** The command that runs, with inherited file descriptors. */
  readonly command: Command;
  /** A line that runs the same machine by hand, console on the terminal. */
  readonly printable: string;
  readonly accel: "kvm" | "tcg";
  /** Whether KVM is usable and why; absent where `tcg` was asked for. */
  readonly kvm?: AccelVerdict;
  readonly qemuVersion: string;
  /** Process id of QEMU, or of the shell that guards it where there is no setpriv. */
  readonly pid: number;
  /** The first serial line, whose name in Linux {@link serialDevices} tells. */
  readonly console: SerialPort;
  /** A further serial line by its name. Throws `QEMU_PORT_UNKNOWN`. */
  port(name: string): SerialPort;
  /** A virtio port by its name. Throws `QEMU_PORT_UNKNOWN`. */
  virtioPort(name: string): VirtioPort;
  /**
   * Waits for the guest's agent, see {@link agentSegment}, on the best channel that the guest has a driver for: the virtio
   * port named "agent", the serial port of that name, else the console. Every caller gets the same connection.
   */
  agent(options?: AgentOptions): Promise<Agent>;
  readonly qmp: QmpClient;
  readonly screen: Screen;
  /** The forwards with the host ports they really have. */
  readonly forwards: readonly Forward[];
  /** How it ended. Never rejects; every caller gets the same result. */
  wait(): Promise<BootResult>;
  /** Ends it now, the guest unasked. Resolves when nothing is left. */
  kill(): Promise<BootResult>;
}

export interface LaunchProgress {
  readonly phase: "accelerator" | "initrd" | "start" | "running";
  readonly done: number;
  readonly total: number;
  readonly unit: "steps";
  readonly message?: string;
}

export interface LaunchOptions {
  readonly deadlines?: Deadlines | undefined;
  /** A line of the console that has this in it is the guest's word that it is ready. */
  readonly ready?: RegExp | undefined;
  /** Aborting ends the machine (result `killed`); before it runs, `launch` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Bytes kept of each serial line, default 16 MiB. */
  readonly keepOutput?: number | undefined;
  /** File that gets all bytes of the console as they come. */
  readonly consoleLog?: string | undefined;
  /** Where KVM verdicts and unpacked kernels are kept, default `$XDG_CACHE_HOME/justenough`. */
  readonly cacheDir?: string | undefined;
  /** Switches by the names that network cards of kind `switch` have; a card's port is called after its MAC address. */
  readonly networks?: Readonly<Record<string, VirtualSwitch>> | undefined;
  readonly onProgress?: ((event: LaunchProgress) => void) | undefined;
}
