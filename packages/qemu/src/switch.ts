import type { Duplex } from "node:stream";
import { QemuError } from "./errors.ts";
import { codePort, readStream, streamAttachment } from "./internal/attachments.ts";
import { addressAt, DESTINATION, isGroup, SOURCE } from "./internal/ethernet.ts";
import { createFrameQueue } from "./internal/frame-queue.ts";
import { checkLine, type Line } from "./line.ts";
import { createPcap, type PcapFile } from "./pcap.ts";
import {
  createMember,
  QUEUE,
  type Attachment,
  type CodePort,
  type Member,
  type PortOptions,
  type SwitchPort,
} from "./switch-port.ts";

export interface SwitchOptions {
  /** What loss and jitter follow from, default 0: the n-th frame of a port's direction always fares alike. */
  readonly seed?: number | undefined;
  /** For each port that is not given its own. A frame passes two lines: its sender's up, its receiver's down. */
  readonly line?: Line | undefined;
}

/** A switch of Ethernet. Disposing it closes it. */
export interface VirtualSwitch extends Disposable {
  readonly ports: readonly SwitchPort[];
  port(name: string): SwitchPort | undefined;
  /**
   * Makes a port for a program.
   *
   * @throws QemuError `QEMU_NETWORK_NAME_TAKEN`, `QEMU_NETWORK_CLOSED`
   */
  join(name: string, options?: PortOptions): CodePort;
  /**
   * Makes a port for what speaks QEMU's stream of frames (`-netdev stream`, `-netdev socket`), and owns the stream from
   * then on. `launch` does this for the cards of a machine.
   *
   * @throws QemuError `QEMU_NETWORK_NAME_TAKEN`, `QEMU_NETWORK_CLOSED`
   */
  connect(stream: Duplex, name: string, options?: PortOptions): SwitchPort;
  /**
   * Writes what comes into the switch to a capture file, each frame once, until it or the switch is closed.
   *
   * @throws QemuError `QEMU_FILE_UNWRITABLE`, `QEMU_NETWORK_CLOSED`
   */
  record(path: string): PcapFile;
  /** Closes all ports, then all recordings. Throws what {@link PcapFile.close} throws. */
  close(): void;
}

/** Addresses that are remembered; of more the oldest is forgotten, and its frames go everywhere again. */
const MAX_STATIONS = 4096;

/**
 * Makes a network without root: a switch that learns addresses and sends what it can't place, and what is meant for many, to
 * all its ports (IEEE 802.1D, without spanning trees). It needs no QEMU: programs can be its only devices.
 *
 * @throws QemuError `QEMU_SPEC_INVALID`
 * @example
 * ```ts
 * import { createSwitch } from "@justenough/qemu/net";
 * const lan = createSwitch({ line: { up: { delay: 5 } } });
 * const [alice, bob] = [lan.join("alice"), lan.join("bob")];
 * alice.send(Uint8Array.of(255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, 42));
 * for await (const frame of bob.frames) {
 *   console.log(frame[14]); // 42
 *   break;
 * }
 * lan.close();
 * ```
 */
export function createSwitch(options: SwitchOptions = {}): VirtualSwitch {
  const members = new Map<string, Member>();
  const stations = new Map<number, Member>();
  const recordings = new Set<PcapFile>();
  let closed = false;
  checkLine(options.line ?? {});

  const learn = (from: Member, address: number): void => {
    if (stations.get(address) === from) return;
    stations.delete(address);
    stations.set(address, from);
    if (stations.size <= MAX_STATIONS) return;
    const [oldest = address] = stations.keys();
    stations.delete(oldest);
  };

  const forward = (from: Member, frame: Uint8Array): void => {
    for (const recording of recordings) recording.write(frame);
    learn(from, addressAt(frame, SOURCE));
    const to = isGroup(frame, DESTINATION) ? undefined : stations.get(addressAt(frame, DESTINATION));
    const receivers = to === undefined ? members.values() : [to];
    for (const receiver of receivers) if (receiver !== from) receiver.transmit(frame);
  };

  const forget = (member: Member): void => {
    members.delete(member.name);
    for (const [address, at] of stations) if (at === member) stations.delete(address);
    for (const recording of recordings) recording.flush();
  };

  const checkOpen = (): void => {
    if (closed) throw new QemuError("QEMU_NETWORK_CLOSED", "The network is closed");
  };

  const add = (name: string, { line = options.line ?? {} }: PortOptions, attachment: Attachment): Member => {
    checkOpen();
    if (members.has(name))
      throw new QemuError("QEMU_NETWORK_NAME_TAKEN", `The network has a port "${name}" already`, {
        hint: `Choose another name; that of a machine's card is its MAC address, and each needs its own: mac: "…"`,
      });
    const seed = options.seed ?? 0;
    const member = createMember({ name, seed, line, attachment, forward, onEnd: forget });
    members.set(name, member);
    return member;
  };

  const close = (): void => {
    closed = true;
    for (const member of members.values()) member.end();
    const failures: unknown[] = [];
    for (const recording of recordings) {
      try {
        recording.close();
      } catch (error) {
        failures.push(error);
      }
    }
    recordings.clear();
    if (failures.length > 0) throw failures[0];
  };

  return {
    get ports() {
      return [...members.values()];
    },
    port: (name) => members.get(name),
    join: (name, portOptions = {}) => {
      const queue = createFrameQueue(QUEUE);
      return codePort(add(name, portOptions, { deliver: queue.push, release: queue.end }), queue);
    },
    connect: (stream, name, portOptions = {}) => {
      const member = add(name, portOptions, streamAttachment(stream));
      readStream(stream, member);
      return member;
    },
    record: (path) => {
      checkOpen();
      const recording = createPcap(path, () => recordings.delete(recording));
      recordings.add(recording);
      return recording;
    },
    close,
    [Symbol.dispose]: close,
  };
}
