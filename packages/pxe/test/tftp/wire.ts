import {
  encodeTftp,
  parseTftp,
  type PxeEventBody,
  type TftpPacket,
  type TftpPeer,
  type TftpServiceOptions,
} from "../../src/index.ts";
import { createServer } from "../simulator/server.ts";
import { createWorld } from "../simulator/world.ts";

/** What the server said, to whom, from which of its ports. */
export interface Said {
  readonly packet: TftpPacket;
  readonly port: number;
  readonly to: TftpPeer;
}

/** A server on a wire without delay, and everything it says and reports. */
export function wire(options: TftpServiceOptions & { readonly singlePort?: boolean }) {
  const said: Said[] = [];
  const events: PxeEventBody[] = [];
  const world = createWorld(() => server.service.opening > 0);
  const onEvent = (event: PxeEventBody): void => void events.push(event);
  const server = createServer(world, { ...options, onEvent }, (bytes, port, to) => {
    const parsed = parseTftp(bytes);
    if (!parsed.ok) throw new Error(`the server said what is no TFTP: ${parsed.reason}`);
    said.push({ packet: parsed.value, port, to });
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  return {
    world,
    events,
    service: server.service,
    /** Everything said so far. */
    said,
    /** Say something to a port, 69 for requests; what the server said in return. */
    async say(from: TftpPeer, port: number, packet: TftpPacket | Uint8Array): Promise<readonly Said[]> {
      const before = said.length;
      server.receive(packet instanceof Uint8Array ? packet : encodeTftp(packet), port, from);
      await settle();
      return said.slice(before);
    },
    /** Say something that will be answered, if only after the disk has done its work. */
    async ask(from: TftpPeer, port: number, packet: TftpPacket): Promise<Said> {
      const before = said.length;
      server.receive(encodeTftp(packet), port, from);
      for (;;) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        const answer = said[before];
        if (answer) return answer;
      }
    },
    /** Let so many milliseconds pass; what the server said meanwhile. */
    async wait(milliseconds: number): Promise<readonly Said[]> {
      const before = said.length;
      const end = world.now() + milliseconds;
      let over = false;
      world.at(end, () => (over = true));
      await world.run(() => over);
      await settle();
      return said.slice(before);
    },
  };
}

/** A read request. */
export function readRequest(file: string, options: Record<string, string> = {}, mode = "octet"): TftpPacket {
  return { kind: "read", file, mode, options: new Map(Object.entries(options)) };
}

/** A write request. */
export function writeRequest(file: string, options: Record<string, string> = {}, mode = "octet"): TftpPacket {
  return { kind: "write", file, mode, options: new Map(Object.entries(options)) };
}

export const ack = (block: number): TftpPacket => ({ kind: "ack", block });
export const errorPacket = (code: number, message = ""): TftpPacket => ({ kind: "error", code, message });
export const data = (block: number, bytes: Uint8Array): TftpPacket => ({ kind: "data", block, bytes });
