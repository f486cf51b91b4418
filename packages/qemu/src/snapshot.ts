import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chooseAccelerator } from "./accel.ts";
import { QemuError } from "./errors.ts";
import { cacheRoot } from "./internal/cache-root.ts";
import { invalid } from "./internal/invalid.ts";
import { directBoot } from "./internal/direct-boot.ts";
import { findHostParts } from "./internal/host-parts.ts";
import { findQemu } from "./internal/qemu-binary.ts";
import { launchWith } from "./launch.ts";
import { machine as describeMachine, type Machine, type MachineSpec } from "./machine.ts";
import type { QmpClient } from "./qmp.ts";
import type { LaunchOptions, Vm } from "./vm.ts";

export interface SnapshotOptions extends Omit<LaunchOptions, "networks"> {
  /** Stands for what `prepare` does: another name, another snapshot. Default `agent`. */
  readonly name?: string | undefined;
  /** Brings the guest to where the copies start. Default: waits for its agent. */
  readonly prepare?: ((vm: Vm) => Promise<void>) | undefined;
}

/** A booted guest, kept. */
export interface Snapshot {
  /** A hash of all that makes it: the machine and its files, QEMU, the accelerator, the name. */
  readonly key: string;
  /** It was there already. */
  readonly cached: boolean;
  /**
   * Starts a copy, with random numbers and a time of its own. Its memory is the snapshot's until it writes to it; any number may run
   * at once. `clone` in its result says that it is none that has booted.
   */
  clone(options?: Omit<LaunchOptions, "networks">): Promise<Vm>;
}

/** How many are kept, the last used; each takes the guest's memory on disk. */
const KEPT = 4;
const MEMORY = "memory";
const STATE = "state";
/** Written last: how many bytes the state has. */
const SIZE = "state-size";
/** For a file of some hundred KB, through a pipe. */
const MIGRATE_MS = 30_000;
const ENTROPY_BYTES = 64;

/**
 * Boots a machine once and keeps it as it is then, so that copies of it start in a fraction of the time. It has to have the
 * agent on a port (see {@link agentSegment}), and nothing outside of itself that its state depends on: no share, no disk that
 * it writes to, no card in a switch. A snapshot is found again by its key, in the cache.
 *
 * @throws QemuError as `launch` does; `QEMU_SPEC_INVALID` for a machine that can't be copied; what `prepare` throws
 * @example
 * ```ts no-run
 * import { agentSegment, snapshot } from "@justenough/qemu";
 * const initrd = ["initramfs.cpio", await agentSegment()];
 * const booted = await snapshot({ kernel: "bzImage", initrd, cmdline: "console=ttyS0 rdinit=/agent", ports: ["agent"] });
 * await using vm = await booted.clone();
 * console.log((await (await vm.agent()).exec(["uname", "-r"])).stdout);
 * ```
 */
export async function snapshot(
  spec: MachineSpec | Machine,
  options: SnapshotOptions = {},
): Promise<Snapshot> {
  const machine = "memoryMiB" in spec ? spec : describeMachine(spec);
  check(machine);
  const { name = "agent", prepare, ...launching } = options;
  const root = join(cacheRoot(options.cacheDir), "qemu", "snapshots");
  const key = await keyOf(machine, name, launching);
  const directory = join(root, key);
  const isKept = (): Promise<boolean> => isComplete(directory);
  const makeAnew = async (): Promise<void> => {
    // What is left of one that is not complete would be in the way.
    await rm(directory, { recursive: true, force: true });
    await make(machine, launching, directory, prepare ?? (async (vm) => void (await vm.agent())));
    await trim(root);
  };
  const cached = await isKept();
  if (!cached) await makeAnew();
  return {
    key,
    cached,
    clone: async (cloneOptions = {}) => {
      // Others that were made since may have taken its place.
      if (!(await isKept())) {
        if ((await keyOf(machine, name, launching)) !== key) throw gone(directory);
        await makeAnew();
      }
      const now = new Date();
      await utimes(directory, now, now);
      const vm = await launchWith(
        machine,
        { cacheDir: options.cacheDir, ...cloneOptions },
        {
          memory: { path: join(directory, MEMORY), copy: true },
          restore: { key, load: (qmp) => load(qmp, join(directory, STATE)) },
        },
      );
      try {
        const agent = await vm.agent({ signal: cloneOptions.signal });
        await agent.reseed(randomBytes(ENTROPY_BYTES), new Date());
        return vm;
      } catch (error) {
        await vm.kill();
        throw error;
      }
    },
  };
}

function check(machine: Machine): void {
  const { ports, virtioPorts, disks, shares, nics, gdb } = machine;
  if (![...ports, ...virtioPorts].includes("agent")) {
    throw invalid(
      "A snapshot needs the guest's agent, without which its copies would all have the same random numbers",
      'Add ports: ["agent"], and agentSegment() to the initrd',
    );
  }
  const why =
    shares.length > 0
      ? "a share"
      : disks.some(({ readOnly }) => !readOnly)
        ? "a disk that can be written to"
        : nics.some(({ backend }) => backend.kind !== "user")
          ? "a network of others"
          : gdb !== undefined
            ? "a debugger"
            : undefined;
  if (why !== undefined) throw invalid(`A machine with ${why} can't be kept as a snapshot`);
}

async function make(
  machine: Machine,
  options: LaunchOptions,
  directory: string,
  prepare: (vm: Vm) => Promise<void>,
): Promise<void> {
  await mkdir(join(directory, ".."), { recursive: true });
  const part = await mkdtemp(`${directory}.part-${process.pid}-`);
  try {
    await using vm = await launchWith(machine, options, {
      memory: { path: join(part, MEMORY), copy: false },
    });
    await prepare(vm);
    await vm.qmp.execute("stop");
    await migrate(vm.qmp, "migrate", `cat > ${shellQuote(join(part, STATE))}`);
    await vm.kill();
    await writeFile(join(part, SIZE), String((await stat(join(part, STATE))).size));
    await rename(part, directory).catch((error: NodeJS.ErrnoException) => {
      // Somebody else was faster.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

function load(qmp: QmpClient, state: string): Promise<void> {
  return migrate(qmp, "migrate-incoming", `cat ${shellQuote(state)}`);
}

/** The state of processors and devices, through a command; the memory is in its file. QEMU's qapi/migration.json. */
async function migrate(
  qmp: QmpClient,
  command: "migrate" | "migrate-incoming",
  through: string,
): Promise<void> {
  const capabilities = ["x-ignore-shared", "events"].map((capability) => ({ capability, state: true }));
  await qmp.execute("migrate-set-capabilities", { capabilities });
  const late = AbortSignal.timeout(MIGRATE_MS);
  const ended = qmp.next("MIGRATION", {
    where: ({ status }) => status === "completed" || status === "failed",
    signal: late,
  });
  await qmp.execute(command, { uri: `exec:${through}` });
  const failed = await ended.then(
    ({ data }) => data.status === "failed",
    (error: unknown) => (late.aborted ? true : Promise.reject(error)),
  );
  if (failed)
    throw new QemuError(
      "QEMU_QMP_FAILED",
      `The guest's state could not be ${command === "migrate" ? "kept" : "restored"} by ${through}`,
    );
}

function gone(directory: string): QemuError {
  return new QemuError(
    "QEMU_FILE_UNREADABLE",
    `The snapshot "${directory}" is gone from the cache, and what it was made of has changed since`,
    { hint: "Call snapshot() again" },
  );
}

async function keyOf(machine: Machine, name: string, options: LaunchOptions): Promise<string> {
  const qemu = await findQemu(machine.binary);
  const { accel } = await chooseAccelerator(machine, { cacheDir: options.cacheDir, signal: options.signal });
  const [{ cmdline, firmware }, { uefi }] = await Promise.all([
    directBoot(machine, accel, qemu, options.cacheDir),
    findHostParts(machine),
  ]);
  const paths = [
    ...[machine.kernel, machine.firmware, machine.cdrom, firmware, uefi?.code.path, uefi?.vars.path],
    ...machine.disks.map(({ path }) => path),
  ];
  const initrd = machine.initrd.map((piece) => (typeof piece === "string" ? identity(piece) : digest(piece)));
  const files = await Promise.all([...paths.map((path) => identity(path)), ...initrd]);
  const { version, mtimeMs } = qemu;
  return digest(
    JSON.stringify([
      ...[2, { ...machine, initrd: [] }, cmdline, files],
      ...[qemu.path, version, mtimeMs, accel, name],
    ]),
  ).slice(0, 32);
}

/** A file that has changed is another one. Size and date may be the same, where builds set them; the time of that is not. */
async function identity(path: string | undefined): Promise<readonly unknown[]> {
  if (path === undefined) return [];
  const found = await stat(path).catch(() => undefined);
  return [path, found?.size, found?.mtimeMs, found?.ctimeMs, found?.ino, found?.dev];
}

function digest(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** A state that ends early restores a guest in part, and one without a byte keeps QEMU waiting for ever. */
async function isComplete(directory: string): Promise<boolean> {
  try {
    const size = Number(await readFile(join(directory, SIZE), "utf8"));
    return size > 0 && (await stat(join(directory, STATE))).size === size;
  } catch {
    return false;
  }
}

/** Removes those that were not used for longest, and what a process that was killed has left half made. */
async function trim(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const maker = /\.part-(\d+)-/.exec(name)?.[1];
    if (maker !== undefined && !isAlive(Number(maker)))
      await rm(join(root, name), { recursive: true, force: true });
  }
  const names = (await readdir(root))
    .filter((name) => /^[0-9a-f]{32}$/.test(name))
    .map((name) => join(root, name));
  // Somebody else may trim at the same time.
  const dated = await Promise.all(
    names.map(async (path) => ({ path, at: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  for (const { path } of dated.sort((a, b) => b.at - a.at).slice(KEPT))
    await rm(path, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function shellQuote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
