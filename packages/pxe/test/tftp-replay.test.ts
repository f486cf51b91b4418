/** Captures of real clients and of firmware, given to the server again: it must answer as it did, byte for byte. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { content } from "./simulator/content.ts";
import { readPcap } from "./tftp/pcap.ts";
import { memoryUploads, replay, REPLAY_SIZE } from "./tftp/replay.ts";

const fixtures = new URL("fixtures/tftp/", import.meta.url);
const names = readdirSync(fixtures).filter((name) => name.endsWith(".pcap"));
test("there are captures", () => expect(names.length).toBeGreaterThanOrEqual(12));

test.each(names.flatMap((name) => [[name, false] as const, [name, true] as const]))(
  "%s, single port: %s",
  async (name, singlePort) => {
    const capture = readPcap(readFileSync(new URL(name, fixtures)));
    // Other datagrams of the wire are no TFTP: what is said to the port of the first request counts.
    const requests = capture.filter(({ to }) => to.port === 69 || to.port === 6900);
    const wellKnown = requests[0]?.to.port ?? 0;
    const writes = requests.some(({ bytes }) => bytes[1] === 2);
    const clients = new Set(requests.map(({ from }) => from.port));
    const answered = capture.filter(({ to }) => clients.has(to.port));
    const stored = new Map<string, Buffer>();
    const answers = await replay(capture, { wellKnown, uploads: memoryUploads(stored), singlePort });
    const text = (list: readonly { to: { port: number }; bytes: Uint8Array }[]): string[] =>
      list.map(({ to, bytes }) => `${to.port} ${Buffer.from(bytes).toString("hex")}`);
    expect(answered.length).toBeGreaterThan(8);
    expect(text(answers)).toEqual(text(answered));
    expect([...stored.values()].map((bytes) => bytes.equals(content(REPLAY_SIZE)))).toEqual(
      writes ? [true] : [],
    );
    expect(writes).toBe(!["ovmf.pcap", "ipxe-bios.pcap"].includes(name));
  },
);
