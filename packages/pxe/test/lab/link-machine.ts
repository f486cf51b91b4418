/** A QEMU machine whose network card is plugged into a Unix socket: no root, no interface of this machine. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";

export interface MachineRun {
  readonly console: string;
  /** Seconds from the start of QEMU to the first line of /init. */
  readonly seconds: number | undefined;
}

/** EDK2, with its variables in a directory of ours; the network card's own ROM is left out. */
async function uefi(directory: string): Promise<readonly string[]> {
  const vars = join(directory, "vars.fd");
  await copyFile("/usr/share/OVMF/OVMF_VARS_4M.fd", vars);
  return [
    ..."-machine q35 -m 1024".split(" "),
    ..."-drive if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd".split(" "),
    ...`-drive if=pflash,format=raw,unit=1,file=${vars}`.split(" "),
    // Newer builds find no network without a source of random numbers.
    ..."-device virtio-rng-pci -device virtio-net-pci,netdev=n0,romfile=,bootindex=0".split(" "),
  ];
}

/** Boot from the network and wait for the end; `directory` is for the firmware's variables. */
export async function runMachine(options: {
  readonly socket: string;
  readonly firmware: "bios" | "uefi";
  readonly directory: string;
  readonly command?: readonly string[];
}): Promise<MachineRun> {
  const board =
    options.firmware === "uefi"
      ? await uefi(options.directory)
      : "-m 512 -boot n -device virtio-net-pci,netdev=n0".split(" ");
  const [program = "", ...args] = [
    ...(options.command ?? []),
    "qemu-system-x86_64",
    ..."-accel tcg -display none -serial stdio -no-reboot".split(" "),
    "-netdev",
    `stream,id=n0,server=off,addr.type=unix,addr.path=${options.socket}`,
    ...board,
  ];
  const began = performance.now();
  const machine = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  let seconds: number | undefined;
  machine.stdout.on("data", (part: Buffer) => {
    text += part.toString("latin1");
    if (seconds === undefined && text.includes("LAB init")) seconds = (performance.now() - began) / 1000;
  });
  await once(machine, "close");
  return { console: text, seconds };
}
