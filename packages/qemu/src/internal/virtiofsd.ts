import { execFile } from "node:child_process";
import { access, constants, rm, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { QemuError } from "../errors.ts";
import type { Machine } from "../machine.ts";
import type { Share } from "../shares.ts";
import { spawnGuarded, type Guard, type GuardedChild } from "./guard.ts";

/** The daemon of virtiofs, of either kind. */
export interface Virtiofsd {
  readonly path: string;
  /** `c` came with QEMU until 7.2, `rust` is the one of today. */
  readonly kind: "c" | "rust";
  /** It knows `--readonly`. */
  readonly readOnly: boolean;
}

/** Distributions put it beside the programs, since nobody starts it by hand. */
const PLACES = ["/usr/libexec", "/usr/lib/qemu", "/usr/lib", "/usr/libexec/qemu"];
const START_MS = 10_000;
const HINT = `Use kind "9p", or install it: apt-get install virtiofsd (Debian 13, Ubuntu 24.04), qemu-system-common (Debian 12)`;

/** The daemon that the machine's shares need; undefined for a machine without such shares. */
export async function findVirtiofsd({ shares }: Machine): Promise<Virtiofsd | undefined> {
  const wanted = shares.filter(({ kind }) => kind === "virtiofs");
  if (wanted.length === 0) return undefined;
  const path = await findDaemon();
  if (path === undefined)
    throw new QemuError("QEMU_VIRTIOFS_UNUSABLE", "Cannot find virtiofsd", { hint: HINT });
  const { stdout, stderr } = await promisify(execFile)(path, ["--help"], { timeout: 10_000 }).catch(
    (error: Error & { stdout?: string; stderr?: string }) => ({ stdout: error.message, stderr: "" }),
  );
  const help = stdout + stderr;
  const daemon: Virtiofsd = {
    path,
    kind: help.includes("--shared-dir") ? "rust" : "c",
    readOnly: help.includes("--readonly"),
  };
  const refused = wanted.find(({ readOnly }) => readOnly && !daemon.readOnly);
  if (refused === undefined) return daemon;
  throw new QemuError(
    "QEMU_VIRTIOFS_UNUSABLE",
    `"${path}" can't share read-only, which share "${refused.tag}" is to be`,
    { hint: `Use kind "9p", or say readOnly: false` },
  );
}

async function findDaemon(): Promise<string | undefined> {
  const inPath = (process.env["PATH"] ?? "").split(delimiter);
  for (const directory of [...inPath, ...PLACES]) {
    const file = join(directory, "virtiofsd");
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

/** The command of one daemon. */
export function virtiofsdCommand(daemon: Virtiofsd, share: Share, socket: string): string[] {
  // Without privileges there are no namespaces to hide in; what the user may not do, the daemon may not either.
  const root = process.getuid?.() === 0;
  if (daemon.kind === "rust") {
    const flags = [
      ...(root ? ["--sandbox", "chroot"] : ["--sandbox", "none"]),
      ...(share.readOnly ? ["--readonly"] : []),
    ];
    return [daemon.path, "--socket-path", socket, "--shared-dir", share.path, ...flags];
  }
  const source = share.path.replaceAll(/[\\,]/g, String.raw`\$&`);
  return [daemon.path, `--socket-path=${socket}`, "-o", `source=${source}`, "-o", "sandbox=chroot", "-f"];
}

/** Daemons that run until `stop`, or until QEMU leaves them. */
export interface ShareDaemons {
  stop(): Promise<void>;
}

/** Starts a daemon for each virtiofs share; resolves when all of them listen. */
export async function startShareDaemons(
  shares: readonly Share[],
  daemon: Virtiofsd | undefined,
  guard: Guard,
  socketOf: (share: Share) => string,
): Promise<ShareDaemons> {
  const children: GuardedChild[] = [];
  const stop = async (): Promise<void> => {
    for (const child of children) child.kill();
    await Promise.all(children.map(({ closed }) => closed));
  };
  if (daemon === undefined) return { stop };
  try {
    for (const share of shares.filter(({ kind }) => kind === "virtiofs")) {
      const socket = socketOf(share);
      const child = spawnGuarded(guard, virtiofsdCommand(daemon, share, socket), 0);
      children.push(child);
      await listening(child, socket, share);
      // The C daemon locks the socket's name in a file outside of our directory, and leaves it there.
      await rm(`/var/run/virtiofsd/${socket.replaceAll("/", ".")}.pid`, { force: true }).catch(
        () => undefined,
      );
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

async function listening(child: GuardedChild, socket: string, share: Share): Promise<void> {
  let words = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Uint8Array) => {
      if (words.length < 4096) words += Buffer.from(bytes).toString("utf8");
    });
  const state = { ended: false };
  void child.closed.then(() => (state.ended = true));
  for (const end = performance.now() + START_MS; performance.now() < end && !state.ended; await sleep(5)) {
    if ((await stat(socket).catch(() => undefined))?.isSocket() === true) return;
  }
  throw new QemuError(
    "QEMU_VIRTIOFS_UNUSABLE",
    `virtiofsd did not start for share "${share.tag}": ${words.trim() === "" ? "it said nothing" : words.trim()}`,
    { hint: HINT },
  );
}
