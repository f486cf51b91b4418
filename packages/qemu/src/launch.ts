import { access, constants, stat } from "node:fs/promises";
import { join } from "node:path";
import { chooseAccelerator } from "./accel.ts";
import { commandArguments, commandByHand, printable, shareSocket, type Command } from "./argv.ts";
import { QemuError } from "./errors.ts";
import { initrdLayout, joinInitrd } from "./initrd.ts";
import { machine as describeMachine, type Machine, type MachineSpec } from "./machine.ts";
import type { LaunchOptions, LaunchProgress, Vm } from "./vm.ts";
import { directBoot } from "./internal/direct-boot.ts";
import { detectGuard } from "./internal/guard.ts";
import { findHostParts } from "./internal/host-parts.ts";
import { checkKernelImage } from "./internal/kernel-image.ts";
import { checkNetworks } from "./internal/networks.ts";
import { findQemu } from "./internal/qemu-binary.ts";
import { createRunDirectory, type RunDirectory } from "./internal/run-directory.ts";
import type { MemoryFile } from "./internal/memory.ts";
import { startVm, type Restore } from "./internal/start-vm.ts";
import { startShareDaemons, type ShareDaemons } from "./internal/virtiofsd.ts";

/**
 * Starts a machine and returns as soon as its first instruction runs.
 *
 * @throws QemuError when QEMU is missing, too old or refuses to start, when a file can't be read, or when KVM is
 * insisted on and unusable. How the boot ends is told by `vm.wait()`.
 * @example
 * ```ts no-run
 * import { launch } from "@justenough/qemu";
 * const vm = await launch({ kernel: "bzImage", initrd: ["initramfs.cpio"], cmdline: "console=ttyS0" });
 * console.log((await vm.wait()).kind);
 * ```
 */
export async function launch(spec: MachineSpec | Machine, options: LaunchOptions = {}): Promise<Vm> {
  return launchWith("memoryMiB" in spec ? spec : describeMachine(spec), options);
}

/** The same, with the guest's memory in a file: of a machine that is to become a snapshot, or that comes from one. */
export async function launchWith(
  machine: Machine,
  options: LaunchOptions,
  { memory, restore }: { readonly memory?: MemoryFile; readonly restore?: Restore } = {},
): Promise<Vm> {
  const { signal } = options;
  signal?.throwIfAborted();
  checkNetworks(machine, options.networks);
  const progress = (phase: LaunchProgress["phase"], done: number, message?: string): void =>
    options.onProgress?.({
      phase,
      done,
      total: 3,
      unit: "steps",
      ...(message === undefined ? {} : { message }),
    });

  progress("accelerator", 0);
  const qemu = await findQemu(machine.binary);
  await checkFiles(machine);
  const parts = await findHostParts(machine);
  const { accel, verdict } = await chooseAccelerator(machine, { cacheDir: options.cacheDir, signal });
  progress("initrd", 1, verdict === undefined ? undefined : verdict.reason);
  const [guard, boot] = await Promise.all([
    detectGuard(),
    directBoot(machine, accel, qemu, options.cacheDir),
  ]);
  const directory = await createRunDirectory();
  let daemons: ShareDaemons | undefined;
  try {
    const initrd = await prepareInitrd(machine, directory, signal);
    const socketDirectory = directory.path;
    const command: Command = {
      binary: qemu.path,
      args: commandArguments(machine, {
        ...boot,
        ...parts,
        accel,
        initrd,
        memory,
        socketDirectory,
        channels: "fds",
      }),
    };
    daemons = await startShareDaemons(machine.shares, parts.virtiofsd, guard, (share) =>
      shareSocket(share, socketDirectory),
    );
    progress("start", 2);
    const vm = await startVm({
      machine,
      command,
      printable: printable(commandByHand(machine, accel, { ...boot, ...parts })),
      accel,
      verdict,
      guard,
      options,
      restore,
      cleanUp: daemons.stop,
    });
    progress("running", 3);
    return vm;
  } catch (error) {
    await daemons?.stop();
    throw error;
  } finally {
    // QEMU has read the initrd and reached its daemons by now, so that even a SIGKILL leaves no file behind.
    await directory.remove();
  }
}

async function prepareInitrd(
  machine: Machine,
  directory: RunDirectory,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const layout = initrdLayout(machine.initrd);
  if (layout.kind === "none") return undefined;
  if (layout.kind === "file") return layout.path;
  const path = join(directory.path, "initrd");
  await joinInitrd(layout.pieces, path, signal);
  return path;
}

/** QEMU's own words for a file it can't read come without a name at times. */
async function checkFiles(machine: Machine): Promise<void> {
  const initrds = machine.initrd
    .filter((part) => typeof part === "string")
    .map((path) => ["initrd part", path] as const);
  const disks = machine.disks.map((disk) => ["disk", disk.path, !disk.readOnly && !disk.snapshot] as const);
  const files: (readonly [what: string, path: string | undefined, written?: boolean])[] = [
    ["kernel", machine.kernel],
    ["firmware", machine.firmware],
    ...initrds,
    ...disks,
    ["CD image", machine.cdrom],
    ...machine.shares.map((share) => ["share", share.path] as const),
  ];
  for (const [what, path, written] of files) {
    if (path === undefined) continue;
    // QEMU also looks for a firmware by name in its own data directory.
    if (what === "firmware" && !path.includes("/")) continue;
    const refused = (why: string | undefined, cause?: unknown): QemuError => {
      const how = written === true ? "read and write" : "read";
      return new QemuError("QEMU_FILE_UNREADABLE", `Cannot ${how} ${what} "${path}": ${why}`, { cause });
    };
    let isDirectory: boolean;
    try {
      await access(path, constants.R_OK | (written === true ? constants.W_OK : 0));
      isDirectory = (await stat(path)).isDirectory();
    } catch (error) {
      throw refused((error as NodeJS.ErrnoException).code, error);
    }
    if (isDirectory !== (what === "share")) throw refused(`it is ${isDirectory ? "a" : "no"} directory`);
  }
  if (machine.kernel !== undefined) await checkKernelImage(machine.kernel, machine.arch);
}
