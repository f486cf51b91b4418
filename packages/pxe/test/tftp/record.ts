/**
 * Records the captures that test/tftp-replay.test.ts replays; needs tcpdump and root.
 *
 *   node packages/pxe/test/tftp/record.ts
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startTftpServer } from "../../src/index.ts";
import { content } from "../simulator/content.ts";
import { OTHER_CLIENTS, run } from "./clients.ts";
import { REPLAY_SIZE, replayFiles } from "./replay.ts";

const fixtures = fileURLToPath(new URL("../fixtures/tftp/", import.meta.url));
const directory = await mkdtemp(join(tmpdir(), "pxe-record-"));
const source = join(directory, "source");
await writeFile(source, content(REPLAY_SIZE));

for (const client of OTHER_CLIENTS) {
  const root = await mkdtemp(join(directory, "uploads-"));
  const server = await startTftpServer({
    address: "127.0.0.1",
    port: 6900,
    files: replayFiles(),
    uploads: { root },
  });
  const path = join(fixtures, `${client.name.replaceAll(" ", "-")}.pcap`);
  const tcpdump = spawn(
    "tcpdump",
    ["-i", "lo", "-U", "-w", path, "--immediate-mode", "udp and not port 53"],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  await once(tcpdump.stderr, "data");
  await delay(300);
  const ends = [
    await run(client.get(6900, "file", join(directory, "out"))),
    await run(client.get(6900, "missing", join(directory, "none"))),
    await run(client.put(6900, source, "stored")),
    await run(client.put(6900, source, "stored")),
  ];
  await delay(300);
  tcpdump.kill("SIGINT");
  await once(tcpdump, "close");
  await server.close();
  process.stdout.write(`${path} ${ends.map((end) => end.status).join(" ")}\n`);
}
await rm(directory, { recursive: true });
