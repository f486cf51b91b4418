/** Captures of real clients, given to the server again: it must answer as it did, byte for byte. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { content } from "./simulator/content.ts";
import { readPcap } from "./tftp/pcap.ts";
import { memoryUploads, replay, REPLAY_SIZE } from "./tftp/replay.ts";

const fixtures = new URL("fixtures/tftp/", import.meta.url);
const names = readdirSync(fixtures).filter((name) => name.endsWith(".pcap"));
/** The port of the captured server. */
const PORT = 6900;

test("there are captures", () => expect(names.length).toBeGreaterThanOrEqual(10));

test.each(names.flatMap((name) => [[name, false] as const, [name, true] as const]))(
  "%s, single port: %s",
  async (name, singlePort) => {
    const capture = readPcap(readFileSync(new URL(name, fixtures)));
    const clients = new Set(capture.filter(({ to }) => to.port === PORT).map(({ from }) => from.port));
    const answered = capture.filter(({ to }) => clients.has(to.port));
    const stored = new Map<string, Buffer>();
    const answers = await replay(capture, { wellKnown: PORT, uploads: memoryUploads(stored), singlePort });
    const text = (list: readonly { to: { port: number }; bytes: Uint8Array }[]): string[] =>
      list.map(({ to, bytes }) => `${to.port} ${Buffer.from(bytes).toString("hex")}`);
    expect(answered.length).toBeGreaterThan(10);
    expect(text(answers)).toEqual(text(answered));
    expect([...stored.keys()]).toEqual(["stored"]);
    expect(stored.get("stored")?.equals(content(REPLAY_SIZE))).toBe(true);
  },
);
