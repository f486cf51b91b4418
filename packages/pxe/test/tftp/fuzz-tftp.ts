/** Damaged packets for the server and the client, in virtual time: what captures have, changed. */
import { readdirSync, readFileSync } from "node:fs";
import {
  encodeTftp,
  parseTftp,
  startFetch,
  stepFetch,
  type TftpPacket,
  type TftpPeer,
  type VirtualFile,
} from "../../src/index.ts";
import { mutator } from "../fuzz.ts";
import { content } from "../simulator/content.ts";
import { createServer } from "../simulator/server.ts";
import { createWorld } from "../simulator/world.ts";
import { readPcap } from "./pcap.ts";
import { memoryUploads } from "./replay.ts";
import { ack, data, errorPacket, readRequest, writeRequest } from "./wire.ts";

/** What came of it. */
export interface FuzzReport {
  readonly seed: number;
  readonly packets: number;
  /** Datagrams of the server, all of which its own parser takes. */
  readonly answers: number;
  /** Lines of the timeline. */
  readonly events: number;
  readonly complete: number;
  /** Most transfers at a time, and those left a minute after the end. */
  readonly most: number;
  readonly left: number;
  /** Steps of the client. */
  readonly client: number;
}

/** Every datagram of the captures, and some that none of those clients sends. */
function corpus(): readonly Uint8Array[] {
  const fixtures = new URL("../fixtures/tftp/", import.meta.url);
  const captured = readdirSync(fixtures)
    .filter((name) => name.endsWith(".pcap"))
    .flatMap((name) => readPcap(readFileSync(new URL(name, fixtures))).map(({ bytes }) => bytes));
  const own: TftpPacket[] = [
    readRequest("file", { tsize: "0", blksize: "1468", windowsize: "4" }),
    readRequest("file", {}, "netascii"),
    writeRequest("new", { tsize: "100", blksize: "1024" }),
    writeRequest("text", {}, "netascii"),
    ack(0),
    ack(65_535),
    data(1, content(512)),
    data(2, content(3)),
    errorPacket(8, "no"),
    { kind: "oack", options: new Map([["blksize", "1468"]]) },
  ];
  const texts = new Set(captured.map((bytes) => Buffer.from(bytes).toString("latin1")));
  return [
    ...[...texts].map((text) => Buffer.from(text, "latin1")),
    ...own.map((packet) => encodeTftp(packet)),
  ];
}

/** What a sane client says to an answer: only so does a fuzzer get deep into transfers. */
function reply(answer: Uint8Array): Uint8Array | undefined {
  const parsed = parseTftp(answer);
  if (!parsed.ok) return undefined;
  const packet = parsed.value;
  if (packet.kind === "data") return encodeTftp(ack(packet.block));
  if (packet.kind === "oack") return encodeTftp(ack(0));
  if (packet.kind === "ack")
    return encodeTftp(data((packet.block + 1) & 0xffff, content(512 - (packet.block & 3))));
  return undefined;
}

/** Feed so many packets; `watch` is called now and then with how many there were. Throws what the engines throw. */
export async function fuzzTftp(
  count: number,
  options: { seed?: number; every?: number; watch?: (packets: number) => void } = {},
): Promise<FuzzReport> {
  const random = mutator(options.seed);
  const seeds = corpus();
  const files = new Map<string, VirtualFile>([["file", { kind: "bytes", bytes: content(9000) }]]);
  let stored = new Map<string, Buffer>();
  let [answers, events, complete, most, client] = [0, 0, 0, 0, 0];
  /** Some of the last answers. */
  const heard: { readonly port: number; readonly to: TftpPeer; readonly bytes: Uint8Array }[] = [];
  const world = createWorld();
  const servers = [false, true].map((singlePort) =>
    createServer(
      world,
      {
        files,
        singlePort,
        sessions: 256,
        uploads: { create: (name, size) => memoryUploads(stored).create(name, size) },
        onEvent: (event) => {
          events++;
          if (event.kind === "tftp" && event.outcome === "complete") complete++;
        },
      },
      (bytes, port, to) => {
        answers++;
        heard[random.below(8)] = { port, to, bytes };
        if (!parseTftp(bytes).ok) throw new Error(`the server sent ${Buffer.from(bytes).toString("hex")}`);
      },
    ),
  );
  const fetchAnew = () => startFetch({ file: "x", blksize: 1468, windowsize: 4, tsize: true }, world.now());
  let fetch = fetchAnew();

  for (let packets = 1; packets <= count; packets++) {
    const answer = heard[random.below(8)];
    const sane = answer && random.below(2) === 0 ? reply(answer.bytes) : undefined;
    const seed = sane ?? seeds[random.below(seeds.length)] ?? new Uint8Array();
    // Some stay as they are: damaged ones alone would not get deep into a transfer.
    const whole = sane ? random.below(8) > 0 : random.below(3) === 0;
    const bytes = whole ? Uint8Array.from(seed) : random.mutate(seed);
    const own = { address: `10.77.0.${random.below(8)}`, port: 1024 + random.below(32) };
    const from = answer && (sane || random.below(2) === 0) ? answer.to : own;
    const port = answer && (sane || random.below(2) === 0) ? answer.port : 69;
    try {
      for (const server of servers) {
        server.receive(bytes, port, from);
        while (server.service.opening > 0) await new Promise<void>((resolve) => setImmediate(resolve));
        most = Math.max(most, server.service.sessions);
      }
      const parsed = parseTftp(bytes);
      if (parsed.ok) {
        fetch = stepFetch(
          fetch.state,
          { kind: "packet", packet: parsed.value, port: 1 + random.below(2) },
          world.now(),
        );
        client++;
      }
      if (world.now() >= fetch.state.deadline) fetch = stepFetch(fetch.state, { kind: "timer" }, world.now());
      if (fetch.state.phase === "done") fetch = fetchAnew();
      world.advance(world.now() + random.below(5));
    } catch (cause) {
      throw new Error(`FUZZ_SEED=${random.seed}, packet ${packets}: ${Buffer.from(bytes).toString("hex")}`, {
        cause,
      });
    }
    if (stored.size > 50) stored = new Map();
    if (packets % (options.every ?? count) === 0) options.watch?.(packets);
  }
  world.advance(world.now() + 60_000);
  await new Promise<void>((resolve) => setTimeout(resolve, 10));
  const left = servers.reduce((sum, server) => sum + server.service.sessions, 0);
  return { seed: random.seed, packets: count, answers, events, complete, most, left, client };
}
