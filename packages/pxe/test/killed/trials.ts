/**
 * In the lab: a server that is killed (SIGKILL) at random moments while a herd of clients uses it, and started
 * again on the same file of leases. Arguments: trials, seed. Prints one JSON line: a KillReport.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { mutator } from "../fuzz.ts";
import { herd } from "./herd.ts";

export interface KillReport {
  readonly seed: number;
  readonly trials: number;
  readonly acknowledged: number;
  /** Leases asked after, over all restarts. */
  readonly confirmed: number;
  /** Kills that left a journal half written anew. */
  readonly amidRewrite: number;
  /** Kills that left a torn record. */
  readonly torn: number;
  readonly faults: readonly string[];
}

/** So often the file, and what the clients know, begin from nothing. */
const FRESH_EVERY = 25;

const trials = Number(process.argv[2] ?? 5);
const random = mutator(Number(process.argv[3] ?? 1));
const directory = await mkdtemp(join(tmpdir(), "pxe-killed-"));
const program = fileURLToPath(new URL("serve.ts", import.meta.url));
execFileSync("ip", ["address", "add", "10.99.0.1/16", "dev", "br0"]);
execFileSync("ip", ["address", "add", "10.99.0.2/16", "dev", "br0"]);

let torn = 0;
let amidRewrite = 0;
let confirmed = 0;
let acknowledged = 0;
const faults: string[] = [];
const start = async (file: string): Promise<ChildProcess> => {
  const server = spawn(process.execPath, [program, file], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface(server.stdout)) {
    if (line === "ready") break;
    if (line.includes("leases-damaged")) torn++;
    else faults.push(line);
  }
  server.stdout.resume();
  return server;
};

let clients = await herd(random, 3000);
let file = "";
for (let trial = 0; trial <= trials; trial++) {
  if (trial % FRESH_EVERY === 0) {
    acknowledged += clients.counts.acknowledged;
    clients.close();
    clients = await herd(random, trial % 2 === 0 ? 3000 : 200);
    file = join(directory, `leases-${trial}`);
  }
  const server = await start(file);
  confirmed += clients.counts.held;
  faults.push(...(await clients.confirm()), ...clients.faults);
  if (faults.length > 0) {
    server.kill("SIGKILL");
    break;
  }
  const stop = new AbortController();
  const running = clients.run(stop.signal);
  await delay(20 + random.below(400));
  server.kill("SIGKILL");
  await once(server, "exit");
  stop.abort();
  await running;
  await access(`${file}.new`).then(
    () => amidRewrite++,
    () => undefined,
  );
}
acknowledged += clients.counts.acknowledged;
clients.close();
await rm(directory, { recursive: true });
const { seed } = random;
const report: KillReport = { seed, trials, acknowledged, confirmed, amidRewrite, torn, faults };
process.stdout.write(`${JSON.stringify(report)}\n`);
