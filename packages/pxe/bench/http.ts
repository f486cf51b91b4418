/**
 * HTTP beside nginx: ten clients fetch one file at the same time, by loopback. Prints the rates and the ratio.
 *
 *   node packages/pxe/bench/http.ts [MEGABYTES]
 *
 * Needs nginx.
 */
import { execFile, spawn } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const CLIENTS = 10;
const ROUNDS = 5;
const megabytes = Number(process.argv[2] ?? 200);
const directory = await mkdtemp(join(tmpdir(), "pxe-bench-"));
// nginx's worker is another user when it is started by root.
await chmod(directory, 0o755);
const file = join(directory, "kernel");
await writeFile(file, Buffer.alloc(megabytes << 20, "x"));

/** Megabytes a second over all clients. */
async function fetchAll(url: string): Promise<number> {
  const began = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, () => run("curl", ["-sSf", "-o", "/dev/null", url])));
  return (CLIENTS * megabytes) / ((performance.now() - began) / 1000);
}

await writeFile(
  join(directory, "nginx.conf"),
  `daemon off; pid ${directory}/pid; error_log stderr; worker_processes 1;
events { worker_connections 512; }
http { access_log off; sendfile on; server { listen 127.0.0.1:18081; root ${directory}; } }
`,
);
const nginx = spawn("nginx", ["-c", join(directory, "nginx.conf"), "-p", directory], {
  stdio: ["ignore", "ignore", "inherit"],
});
// Ours is a process of its own, as it would be.
const program = new URL("../src/cli.ts", import.meta.url).pathname;
const ours = spawn(
  process.execPath,
  [
    program,
    ..."--interface lo --mode http-only --http-port 18080 --state".split(" "),
    directory,
    "--kernel",
    file,
  ],
  { stdio: "ignore" },
);
try {
  for (let tries = 0; ; tries++) {
    const up = ["18080", "18081"].map((port) => fetch(`http://127.0.0.1:${port}/kernel`, { method: "HEAD" }));
    if ((await Promise.allSettled(up)).every(({ status }) => status === "fulfilled")) break;
    if (tries > 50) throw new Error("a server does not answer");
    await delay(100);
  }
  const rates = { ours: [] as number[], nginx: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    const one = await fetchAll("http://127.0.0.1:18080/kernel");
    const other = await fetchAll("http://127.0.0.1:18081/kernel");
    // The first warms up.
    if (round === 0) continue;
    rates.ours.push(one);
    rates.nginx.push(other);
  }
  const median = (list: number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0;
  const [one, other] = [median(rates.ours), median(rates.nginx)];
  console.log(
    `ours ${one.toFixed(0)} MiB/s, nginx ${other.toFixed(0)} MiB/s, ratio ${(one / other).toFixed(2)}`,
  );
} finally {
  ours.kill();
  nginx.kill();
  await rm(directory, { recursive: true });
}
