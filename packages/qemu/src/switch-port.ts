import { QemuError } from "./errors.ts";
import { deferred } from "./internal/deferred.ts";
import { isGroup, MIN_FRAME, SOURCE } from "./internal/ethernet.ts";
import { createRandom, hashText } from "./internal/random.ts";
import { checkLine, createLine, type Line, type LineControl, type LineCounters } from "./line.ts";

export interface PortOptions {
  /** Default: the switch's. */
  readonly line?: Line | undefined;
}

export interface PortCounters {
  /** From the device to the switch. */
  readonly up: LineCounters;
  /** From the switch to the device. */
  readonly down: LineCounters;
  /** What was dropped because it is no frame: shorter than two addresses and a type, or sent by a group address. */
  readonly malformed: number;
}

/** Where a device is plugged in. */
export interface SwitchPort extends Disposable {
  /** That of a machine's network card is its MAC address, in lower case. */
  readonly name: string;
  counters(): PortCounters;
  /** Changes the line from the next frame on; a direction that is not named stays as it is. Throws `QEMU_SPEC_INVALID`. */
  impair(line: Line): void;
  /** Resolves when the port is no more, with the error that ended it if one did: `QEMU_FRAME_INVALID`. */
  readonly closed: Promise<QemuError | undefined>;
  /** Pulls the cable. What is under way is lost. */
  close(): void;
}

/** A port for a program. */
export interface CodePort extends SwitchPort {
  /**
   * Sends a frame: addresses, type and data, without checksum. False when the port is closed.
   *
   * @throws QemuError `QEMU_FRAME_INVALID` for one that Ethernet can't carry
   */
  send(frame: Uint8Array): boolean;
  /** What arrives, each frame once, until the port is closed. A reader more than 4 MiB behind loses the newest. */
  readonly frames: AsyncIterable<Uint8Array>;
}

/** The switch's side of a port. */
export interface Member extends SwitchPort {
  readonly open: boolean;
  /** A frame from the device. */
  receive(frame: Uint8Array): void;
  /** A frame for the device. */
  transmit(frame: Uint8Array): void;
  end(error?: QemuError): void;
}

/** How a port reaches its device. */
export interface Attachment {
  /** Copies a frame that it keeps; false when it has no room. */
  deliver(frame: Uint8Array): boolean;
  release(): void;
}

/** Bytes that wait for a device that does not take them, or in a line's delay; more are dropped, as real switches do. */
export const QUEUE = 4 * 1024 * 1024;

export interface MemberRequest {
  readonly name: string;
  readonly seed: number;
  readonly line: Line;
  readonly attachment: Attachment;
  /** Gets what has come through the line. */
  forward(from: Member, frame: Uint8Array): void;
  onEnd(member: Member): void;
}

export function createMember({ name, seed, line, attachment, forward, onEnd }: MemberRequest): Member {
  const random = (direction: string): (() => number) =>
    createRandom(hashText(`${seed} ${direction} ${name}`));
  const up: LineControl = createLine(random("up"), QUEUE, (frame) => {
    forward(member, frame);
    return true;
  });
  const down = createLine(random("down"), QUEUE, (frame) => attachment.deliver(frame));
  const ended = deferred<QemuError | undefined>();
  let open = true;
  let malformed = 0;

  const end = (error?: QemuError): void => {
    if (!open) return;
    open = false;
    up.close();
    down.close();
    attachment.release();
    onEnd(member);
    ended.resolve(error);
  };

  const member: Member = {
    name,
    get open() {
      return open;
    },
    receive: (frame) => {
      if (!open) return;
      if (frame.length < MIN_FRAME || isGroup(frame, SOURCE)) malformed += 1;
      else up.push(frame);
    },
    transmit: (frame) => down.push(frame),
    counters: () => ({ up: up.counters(), down: down.counters(), malformed }),
    impair: (line) => {
      checkLine(line);
      if (line.up !== undefined) up.impair(line.up);
      if (line.down !== undefined) down.impair(line.down);
    },
    end,
    closed: ended.promise,
    close: () => end(),
    [Symbol.dispose]: () => end(),
  };
  member.impair(line);
  return member;
}
