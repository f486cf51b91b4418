/**
 * Exchanges a second and their latency, ours with its journal beside dnsmasq and Kea with theirs, all asked by
 * the same perfdhcp on the same private network, in turns.
 *
 *   node packages/pxe/bench/dhcp.ts [ROUNDS [RATE…]]
 *
 * Needs perfdhcp (Debian: kea-admin), kea-dhcp4 (kea-dhcp4-server) and dnsmasq.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { runInLab } from "../test/lab/run-in-lab.ts";

/** Of each run; fewer at a rate at which the clients would ask a second time, and rightly get the same address. */
const SECONDS = Number(process.env["BENCH_SECONDS"] ?? 6);
const CLIENTS = 50_000;
/** The rate at which latency is compared. */
const CALM = 1000;

interface Run {
  readonly rate: number;
  /** Completed exchanges a second. */
  readonly completed: number;
  readonly dropped: number;
  /** Addresses that were offered or given to two clients. */
  readonly doubles: number;
  /** Milliseconds, of both halves of the exchange added up: no exchange's 99th percentile is larger. */
  readonly p50: number;
  readonly p99: number;
  /** The 99th percentiles of the halves: DISCOVER to OFFER, which waits for no disk, and REQUEST to ACK. */
  readonly halves: readonly number[];
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
const median = (values: readonly number[]): number =>
  percentile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

/** Read what perfdhcp says. */
function readReport(rate: number, text: string): Run {
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  const doubles = [...text.matchAll(/non unique addresses: (\d+)/g)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
  const drops = [...text.matchAll(/^drops: (\d+)/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
  const halves = text.split("***Timestamps for packets:").slice(1);
  const delays = halves.map((half) =>
    [...half.matchAll(/received: (\d+\.\d+) \/ (\d+\.\d+)/g)]
      .map(([, sent, received]) => (Number(received) - Number(sent)) * 1000)
      .sort((a, b) => a - b),
  );
  const sum = (share: number): number =>
    delays.reduce((total, sorted) => total + percentile(sorted, share), 0);
  return {
    rate,
    completed: number(/^Rate: ([\d.]+)/m),
    doubles,
    dropped: drops / number(/sent packets: (\d+)/),
    p50: sum(0.5),
    p99: sum(0.99),
    halves: delays.map((sorted) => percentile(sorted, 0.99)),
  };
}

interface Contender {
  readonly name: string;
  readonly start: (directory: string) => ChildProcess;
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const CONTENDERS: readonly Contender[] = [
  {
    name: "ours",
    start: (directory) =>
      spawn(process.execPath, [here("dhcp-server.ts"), join(directory, "leases")], {
        stdio: ["ignore", "ignore", "inherit"],
      }),
  },
  {
    name: "dnsmasq",
    start: (directory) =>
      spawn(
        "dnsmasq",
        [
          ..."--keep-in-foreground --conf-file=/dev/null --port=0 --interface=br0 --bind-interfaces".split(
            " ",
          ),
          ..."--no-ping --dhcp-range=10.98.1.0,10.98.255.254,3600 --dhcp-lease-max=100000".split(" "),
          ..."--quiet-dhcp --log-facility=/dev/null".split(" "),
          `--dhcp-leasefile=${join(directory, "leases")}`,
        ],
        { stdio: "ignore" },
      ),
  },
  {
    name: "kea",
    start: (directory) => {
      const config = {
        Dhcp4: {
          "interfaces-config": { interfaces: ["br0/10.98.0.1"], "dhcp-socket-type": "udp" },
          "lease-database": { type: "memfile", persist: true, name: join(directory, "leases.csv") },
          "multi-threading": { "enable-multi-threading": true },
          "valid-lifetime": 3600,
          subnet4: [{ subnet: "10.98.0.0/16", pools: [{ pool: "10.98.1.0 - 10.98.255.254" }] }],
          loggers: [{ name: "kea-dhcp4", severity: "ERROR", output_options: [{ output: "stderr" }] }],
        },
      };
      const file = join(directory, "kea.json");
      writeFileSync(file, JSON.stringify(config));
      const env = { ...process.env, KEA_PIDFILE_DIR: directory, KEA_LOCKFILE_DIR: directory };
      return spawn("kea-dhcp4", ["-c", file], { stdio: ["ignore", "ignore", "inherit"], env });
    },
  },
];

/** In the lab: everything, on two ends of a wire. */
async function measure(rounds: number, rates: readonly number[]): Promise<Record<string, Run[]>> {
  execFileSync("ip", ["address", "add", "10.98.0.1/16", "dev", "br0"]);
  const far = spawn("unshare", ["--net", "sleep", "infinity"], { stdio: "ignore" });
  await delay(300);
  const enter = ["-t", String(far.pid), "--net"];
  execFileSync("ip", ["link", "set", "client0", "netns", String(far.pid)]);
  const setup = "ip link set lo up; ip address add 10.98.0.2/16 dev client0; ip link set client0 up";
  execFileSync("nsenter", [...enter, "sh", "-c", setup]);
  const ask = (...args: string[]): string => {
    const all = [...enter, "perfdhcp", "-4", "-u", "-l", "client0", ...args, "10.98.0.1"];
    return spawnSync("nsenter", all, { maxBuffer: 1 << 29 }).stdout.toString();
  };
  const results: Record<string, Run[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const rate of rates) {
      for (const { name, start } of CONTENDERS) {
        const directory = mkdtempSync(join(tmpdir(), "pxe-bench-"));
        const server = start(directory);
        // It answers: then it is warm as well.
        for (let tries = 0; tries < 20; tries++) {
          await delay(300);
          if (
            /received packets: [1-9]/.test(ask(..."-r 200 -R 200 -p 1 -b mac=02:00:00:00:00:00".split(" ")))
          )
            break;
        }
        const seconds = Math.min(SECONDS, Math.floor(CLIENTS / rate));
        const run = readReport(
          rate,
          ask("-r", String(rate), "-R", String(CLIENTS), "-p", String(seconds), "-x", "t"),
        );
        if (name === "ours" && run.doubles > 0) throw new Error(`${run.doubles} addresses were given twice`);
        (results[name] ??= []).push(run);
        const line = `${name.padEnd(8)} asked ${String(rate).padStart(6)}/s  completed ${run.completed.toFixed(0).padStart(6)}/s`;
        const rest = `${(run.dropped * 100).toFixed(1).padStart(5)} % lost  p50 ${run.p50.toFixed(2)}  p99 ${run.p99.toFixed(2)} ms (${run.halves.map((half) => half.toFixed(2)).join(" + ")})`;
        process.stderr.write(`${line}  ${rest}\n`);
        server.kill();
        await once(server, "exit");
        rmSync(directory, { recursive: true });
      }
    }
  }
  far.kill();
  return results;
}

const [first, ...rest] = process.argv.slice(2);
if (first === "--inside") {
  const [rounds = 1, ...rates] = rest.map(Number);
  process.stdout.write(`${JSON.stringify(await measure(rounds, rates))}\n`);
} else {
  const rounds = Number(first ?? 3);
  const rates = rest.length > 0 ? rest.map(Number) : [CALM, 4000, 8000, 12_000];
  const { status, stdout, stderr } = await runInLab(
    fileURLToPath(import.meta.url),
    ["--inside", String(rounds), ...rates.map(String)],
    { timeoutSeconds: 3600, onStderr: (text) => process.stderr.write(text) },
  );
  if (status !== 0) throw new Error(`the bench ended with ${status}: ${stderr}`);
  const results = JSON.parse(stdout) as Record<string, Run[]>;
  const summary = (name: string) => {
    const runs = results[name] ?? [];
    const of = (rate: number, value: (run: Run) => number): number =>
      median(runs.filter((run) => run.rate === rate).map((run) => value(run)));
    const best = Math.max(...rates.map((rate) => of(rate, ({ completed }) => completed)));
    const calm = rates[0] ?? CALM;
    return { best, p50: of(calm, ({ p50 }) => p50), p99: of(calm, ({ p99 }) => p99), calm };
  };
  const ours = summary("ours");
  process.stdout.write(`medians of ${rounds}; latency at ${ours.calm}/s\n`);
  for (const { name } of CONTENDERS) {
    const one = summary(name);
    const ratio = `${(ours.best / one.best).toFixed(2)} times`;
    process.stdout.write(
      `${name.padEnd(8)} best ${one.best.toFixed(0).padStart(6)}/s (ours ${ratio})  p50 ${one.p50.toFixed(2)} ms  p99 ${one.p99.toFixed(2)} ms\n`,
    );
  }
}
