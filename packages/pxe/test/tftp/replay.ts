import {
  TFTP_ERROR,
  TftpRefusal,
  type TftpPeer,
  type UploadRoot,
  type VirtualFiles,
} from "../../src/index.ts";
import { content } from "../simulator/content.ts";
import { createServer, type SimulatedServer } from "../simulator/server.ts";
import { createWorld } from "../simulator/world.ts";
import type { CapturedDatagram } from "./pcap.ts";

/** Bytes of the file that the captured clients read and wrote: several windows, the last block not full. */
export const REPLAY_SIZE = 9000;

/** What the captured server served; the script is for iPXE, which does not fetch what it can't run otherwise. */
export function replayFiles(): VirtualFiles {
  const script = "#!ipxe\nimgfetch tftp://10.77.0.1/file\n";
  return new Map([
    ["file", { kind: "bytes", bytes: content(REPLAY_SIZE) } as const],
    ["boot.ipxe", { kind: "bytes", bytes: Buffer.from(script) } as const],
  ]);
}

/** An upload root in memory: names once, and their bytes. */
export function memoryUploads(stored: Map<string, Buffer>): UploadRoot {
  return {
    create(name) {
      if (stored.has(name)) {
        return Promise.reject(new TftpRefusal(TFTP_ERROR.fileExists, "There is such a file already"));
      }
      const parts: Uint8Array[] = [];
      return Promise.resolve({
        write(bytes: Uint8Array) {
          parts.push(Uint8Array.from(bytes));
          return Promise.resolve();
        },
        commit() {
          stored.set(name, Buffer.concat(parts));
          return Promise.resolve();
        },
        release: () => Promise.resolve(),
      });
    },
  };
}

/** A datagram of the server, with the transfer of the capture that it belongs to. */
export interface Answer {
  readonly to: TftpPeer;
  readonly bytes: Uint8Array;
}

/**
 * Give the captured client's datagrams to a server, in their order and as soon as the one before is answered;
 * returns what the server answers. Ports of transfers are others than then: they are found by the client's.
 */
export async function replay(
  capture: readonly CapturedDatagram[],
  options: { readonly wellKnown: number; readonly uploads: UploadRoot; readonly singlePort?: boolean },
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  /** The port that the client last heard of. */
  const ports = new Map<number, number>();
  const world = createWorld();
  const server: SimulatedServer = createServer(
    world,
    { files: replayFiles(), uploads: options.uploads, singlePort: options.singlePort ?? false },
    (bytes, port, to) => {
      ports.set(to.port, port);
      answers.push({ to, bytes: Uint8Array.from(bytes) });
    },
  );
  for (const { from, to, bytes } of capture) {
    const request = to.port === options.wellKnown;
    const client = request || ports.has(from.port);
    if (!client) continue;
    server.receive(bytes, request ? 69 : (ports.get(from.port) ?? 0), from);
    // Files, ports and uploads open and close in promises.
    for (let turn = 0; turn < 10; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await server.service.close();
  return answers;
}
