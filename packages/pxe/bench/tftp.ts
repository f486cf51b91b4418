/**
 * Speed of TFTP beside dnsmasq and atftpd, by the clients atftp and curl, over veth between two network
 * namespaces, in turns. Needs root, dnsmasq, atftp and curl; atftpd is fetched by apt and unpacked, since its
 * package would start a server.
 *
 *   node packages/pxe/bench/tftp.ts [--rounds 5] [--megabytes 50] [--only NAME]
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startTftpServer } from "../src/index.ts";

const [SERVER_SPACE, CLIENT_SPACE] = ["pxetftps", "pxetftpc"];

const { values } = parseArgs({
  options: {
    rounds: { type: "string" },
    megabytes: { type: "string" },
    only: { type: "string" },
    serve: { type: "string" },
    address: { type: "string" },
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
  const server = await startTftpServer({ address: values.address ?? "", files, singlePort });
  process.once("SIGTERM", () => void server.close());
}

interface Rival {
  readonly name: string;
  readonly address: string;
  readonly command: readonly string[];
}

interface Way {
  readonly name: string;
  command(server: string, out: string): readonly string[];
}

const atftp = (server: string, out: string, ...options: readonly string[]): readonly string[] => [
  "atftp",
  ...["blksize 1468", ...options].flatMap((option) => ["--option", option]),
  ...["-g", "-r", "file", "-l", out, server, "69"],
];
const WAYS: readonly Way[] = [
  { name: "atftp, lock-step", command: (server, out) => atftp(server, out) },
  {
    name: "curl, lock-step",
    command: (server, out) => ["curl", "-sS", "--tftp-blksize", "1468", "-o", out, `tftp://${server}/file`],
  },
  { name: "atftp, window 16", command: (server, out) => atftp(server, out, "windowsize 16") },
];

/** The command of atftpd, with the library that it alone needs. */
function fetchAtftpd(directory: string): readonly string[] {
  spawnSync("apt-get", ["download", "-q", "atftpd", "libwrap0"], { cwd: directory });
  const packages = readdirSync(directory).filter((name) => name.endsWith(".deb"));
  if (packages.length !== 2) throw new Error("apt-get download atftpd libwrap0 did not work");
  const root = join(directory, "atftpd");
  for (const file of packages) command("dpkg", "-x", join(directory, file), root);
  const libraries = globSync("usr/lib/*-linux-*", { cwd: root }).map((path) => join(root, path));
  return ["env", `LD_LIBRARY_PATH=${libraries.join(":")}`, join(root, "usr/sbin/atftpd")];
}

const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

const best = (list: readonly number[]): number => Math.max(...list);

async function bench(): Promise<void> {
  const rounds = Number(values.rounds ?? 5);
  const megabytes = Number(values.megabytes ?? 50);
  const directory = mkdtempSync(join(tmpdir(), "pxe-tftp-bench-"));
  const path = join(directory, "file");
  const bytes = randomBytes(megabytes * 1_000_000);
  writeFileSync(path, bytes);
  const self = [process.execPath, import.meta.filename, "--serve", path];
  // All run from the beginning to the end, each on an address of its own, and take turns.
  const rivals: readonly Rival[] = [
    { name: "pxe", address: "10.79.0.1", command: [...self, "--address", "10.79.0.1"] },
    {
      name: "pxe, single port",
      address: "10.79.0.2",
      command: [...self, "--address", "10.79.0.2", "--single-port"],
    },
    {
      name: "dnsmasq",
      address: "10.79.0.3",
      command: [
        ...[
          "dnsmasq",
          "--no-daemon",
          "--conf-file=/dev/null",
          "--port=0",
          "--user=root",
          "--bind-interfaces",
        ],
        ...["--listen-address=10.79.0.3", "--enable-tftp", `--tftp-root=${directory}`],
      ],
    },
    {
      name: "atftpd",
      address: "10.79.0.4",
      command: [
        ...[...fetchAtftpd(directory), "--daemon", "--no-fork", "--user", "root.root"],
        ...["--bind-address", "10.79.0.4", directory],
      ],
    },
  ].filter(({ name }) => values.only === undefined || name === values.only);
  const servers: ChildProcess[] = [];
  const clean = (): void => {
    for (const server of servers) server.kill("SIGKILL");
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
    for (const { address } of rivals) {
      command("ip", "-n", SERVER_SPACE, "address", "add", `${address}/24`, "dev", "s0");
    }
    command("ip", "-n", CLIENT_SPACE, "address", "add", "10.79.0.99/24", "dev", "c0");
    for (const [space, card] of [
      [SERVER_SPACE, "s0"],
      [CLIENT_SPACE, "c0"],
    ] as const) {
      for (const link of ["lo", card]) command("ip", "-n", space, "link", "set", link, "up");
    }
    for (const rival of rivals) {
      servers.push(spawn("ip", ["netns", "exec", SERVER_SPACE, ...rival.command], { stdio: "ignore" }));
    }
    await delay(2000);
    const speeds = new Map<string, number[]>();
    // The first round is compared byte for byte and not counted.
    for (let round = 0; round <= rounds; round++) {
      for (const way of WAYS) {
        for (const rival of rivals) {
          const out = round === 0 ? join(directory, "out") : "/dev/null";
          const began = performance.now();
          command("ip", "netns", "exec", CLIENT_SPACE, ...way.command(rival.address, out));
          const seconds = (performance.now() - began) / 1000;
          const key = `${rival.name}/${way.name}`;
          if (round > 0) speeds.set(key, [...(speeds.get(key) ?? []), megabytes / seconds]);
          else if (!readFileSync(out).equals(bytes)) throw new Error(`${key}: wrong bytes`);
          else rmSync(out);
        }
      }
    }
    for (const way of WAYS) {
      const of = (name: string): readonly number[] => speeds.get(`${name}/${way.name}`) ?? [];
      for (const { name } of rivals) {
        const list = of(name);
        // On a machine that others use too the best of each tells more than the middle.
        const ratio = (pick: (list: readonly number[]) => number): string =>
          (pick(of("pxe")) / pick(list)).toFixed(2);
        const than = name === "pxe" ? "" : `; pxe is ${ratio(median)} and ${ratio(best)} times as fast`;
        process.stdout.write(
          `${way.name}: ${name} median ${median(list).toFixed(1)}, best ${best(list).toFixed(1)} MB/s${than}\n`,
        );
      }
    }
  } finally {
    clean();
  }
}

await (values.serve === undefined ? bench() : serve(values.serve));
