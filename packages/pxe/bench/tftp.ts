/**
 * Speed of TFTP beside dnsmasq and atftpd, by the clients atftp and curl, over veth between two network
 * namespaces, in turns. Needs root, dnsmasq, atftp and curl; atftpd is fetched by apt and unpacked, since its
 * package would start a server.
 *
 *   node packages/pxe/bench/tftp.ts [--rounds 5] [--megabytes 50] [--only NAME]
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startTftpServer } from "../src/index.ts";

const SERVER = "10.79.0.1";
const [SERVER_SPACE, CLIENT_SPACE] = ["pxetftps", "pxetftpc"];

const { values } = parseArgs({
  options: {
    rounds: { type: "string" },
    megabytes: { type: "string" },
    only: { type: "string" },
    serve: { type: "string" },
    "single-port": { type: "boolean" },
  },
});

function command(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${status} ${stderr}${stdout}`);
  return stdout;
}

async function serve(path: string): Promise<void> {
  const files = new Map([["file", { kind: "path", path } as const]]);
  const singlePort = values["single-port"] === true;
  const server = await startTftpServer({ address: SERVER, files, singlePort });
  process.once("SIGTERM", () => void server.close());
}

interface Rival {
  readonly name: string;
  readonly command: readonly string[];
}

interface Way {
  readonly name: string;
  command(out: string): readonly string[];
}

const atftp = (out: string, ...options: readonly string[]): readonly string[] => [
  "atftp",
  ...["blksize 1468", ...options].flatMap((option) => ["--option", option]),
  ...["-g", "-r", "file", "-l", out, SERVER, "69"],
];
const WAYS: readonly Way[] = [
  { name: "atftp, lock-step", command: (out) => atftp(out) },
  {
    name: "curl, lock-step",
    command: (out) => ["curl", "-sS", "--tftp-blksize", "1468", "-o", out, `tftp://${SERVER}/file`],
  },
  { name: "atftp, window 16", command: (out) => atftp(out, "windowsize 16") },
];

function fetchAtftpd(directory: string): string {
  spawnSync("apt-get", ["download", "-q", "atftpd"], { cwd: directory });
  const file = readdirSync(directory).find((name) => name.endsWith(".deb"));
  if (file === undefined) throw new Error("apt-get download atftpd did not work");
  command("dpkg", "-x", join(directory, file), join(directory, "atftpd"));
  return join(directory, "atftpd/usr/sbin/atftpd");
}

const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

async function bench(): Promise<void> {
  const rounds = Number(values.rounds ?? 5);
  const megabytes = Number(values.megabytes ?? 50);
  const directory = mkdtempSync(join(tmpdir(), "pxe-tftp-bench-"));
  const path = join(directory, "file");
  const bytes = randomBytes(megabytes * 1_000_000);
  writeFileSync(path, bytes);
  const self = [process.execPath, import.meta.filename, "--serve", path];
  const rivals: readonly Rival[] = [
    { name: "pxe", command: self },
    { name: "pxe, single port", command: [...self, "--single-port"] },
    {
      name: "dnsmasq",
      command: [
        "dnsmasq",
        "--no-daemon",
        "--conf-file=/dev/null",
        "--port=0",
        "--user=root",
        "--enable-tftp",
        `--tftp-root=${directory}`,
      ],
    },
    {
      name: "atftpd",
      command: [
        fetchAtftpd(directory),
        "--daemon",
        "--no-fork",
        "--user",
        "root.root",
        "--bind-address",
        SERVER,
        directory,
      ],
    },
  ].filter(({ name }) => values.only === undefined || name === values.only);
  let server: ChildProcess | undefined;
  const clean = (): void => {
    server?.kill("SIGKILL");
    for (const name of [SERVER_SPACE, CLIENT_SPACE]) spawnSync("ip", ["netns", "delete", name]);
    rmSync(directory, { recursive: true, force: true });
  };
  process.once("SIGINT", () => {
    clean();
    process.exit(130);
  });
  try {
    command("ip", "netns", "add", SERVER_SPACE);
    command("ip", "netns", "add", CLIENT_SPACE);
    command(
      "ip",
      "-n",
      SERVER_SPACE,
      "link",
      "add",
      "s0",
      "type",
      "veth",
      "peer",
      "name",
      "c0",
      "netns",
      CLIENT_SPACE,
    );
    for (const [space, card, address] of [
      [SERVER_SPACE, "s0", SERVER],
      [CLIENT_SPACE, "c0", "10.79.0.2"],
    ] as const) {
      command("ip", "-n", space, "address", "add", `${address}/24`, "dev", card);
      for (const link of ["lo", card]) command("ip", "-n", space, "link", "set", link, "up");
    }
    const speeds = new Map<string, number[]>();
    for (let round = 0; round < rounds; round++) {
      for (const rival of rivals) {
        server = spawn("ip", ["netns", "exec", SERVER_SPACE, ...rival.command], {
          stdio: ["ignore", "ignore", "inherit"],
        });
        await delay(1000);
        for (const way of WAYS) {
          const out = join(directory, "out");
          // Once into a file that is compared; the clock is for those that write nowhere.
          const target = round === 0 ? out : "/dev/null";
          const began = performance.now();
          command("ip", "netns", "exec", CLIENT_SPACE, ...way.command(target));
          const seconds = (performance.now() - began) / 1000;
          if (round === 0 && !readFileSync(out).equals(bytes))
            throw new Error(`${rival.name}, ${way.name}: wrong bytes`);
          rmSync(out, { force: true });
          const key = `${rival.name}/${way.name}`;
          if (round > 0 || rounds === 1) speeds.set(key, [...(speeds.get(key) ?? []), megabytes / seconds]);
        }
        server.kill("SIGTERM");
        await delay(200);
        server.kill("SIGKILL");
      }
    }
    for (const way of WAYS) {
      const own = median(speeds.get(`pxe/${way.name}`) ?? []);
      for (const { name } of rivals) {
        const list = speeds.get(`${name}/${way.name}`) ?? [];
        const ratio = name === "pxe" ? "" : `, pxe is ${(own / median(list)).toFixed(2)} times as fast`;
        const all = list.map((speed) => speed.toFixed(0)).join(" ");
        process.stdout.write(`${way.name}: ${name} ${median(list).toFixed(1)} MB/s (${all})${ratio}\n`);
      }
    }
  } finally {
    clean();
  }
}

await (values.serve === undefined ? bench() : serve(values.serve));
