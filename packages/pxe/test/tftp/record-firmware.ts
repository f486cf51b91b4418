/**
 * Records how firmware reads by TFTP, for test/tftp-replay.test.ts: iPXE's BIOS ROM and OVMF, each booted in QEMU
 * on the lab's network, where dnsmasq gives them the address and the file's name.
 *
 *   node packages/pxe/test/lab/run-in-lab.ts packages/pxe/test/tftp/record-firmware.ts
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startTftpServer } from "../../src/index.ts";
import { replayFiles } from "./replay.ts";

const fixtures = fileURLToPath(new URL("../fixtures/tftp/", import.meta.url));
const directory = await mkdtemp(join(tmpdir(), "pxe-firmware-"));
const vars = join(directory, "vars");
await copyFile("/usr/share/OVMF/OVMF_VARS_4M.fd", vars);

const nic = (options: string): readonly string[] => [
  ...["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no"],
  ...["-device", `virtio-net-pci,netdev=n0${options}`],
];
const machines = {
  "ipxe-bios": ["-boot", "n", ...nic("")],
  ovmf: [
    ...["-machine", "q35"],
    ...["-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"],
    ...["-drive", `if=pflash,format=raw,file=${vars}`],
    ...nic(",romfile=,bootindex=0"),
  ],
};

const children: ChildProcess[] = [];
const start = (program: string, args: readonly string[]): ChildProcess => {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  children.push(child);
  return child;
};
start("dnsmasq", [
  ...["--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=br0", "--bind-interfaces"],
  ...["--dhcp-range=10.77.0.50,10.77.0.59,600", "--no-ping", "--dhcp-leasefile=/dev/null"],
  ...[
    "--dhcp-match=set:efi,option:client-arch,7",
    "--dhcp-boot=tag:efi,file",
    "--dhcp-boot=tag:!efi,boot.ipxe",
  ],
]);

for (const [name, args] of Object.entries(machines)) {
  for (let again = true; again;) {
    const path = join(fixtures, `${name}.pcap`);
    const tcpdump = start("tcpdump", [
      "-i",
      "br0",
      "-U",
      "-w",
      path,
      "--immediate-mode",
      "udp and not port 67 and ip",
    ]);
    if (tcpdump.stderr) await once(tcpdump.stderr, "data");
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    let repeated = 0;
    const server = await startTftpServer({
      address: "10.77.0.1",
      files: replayFiles(),
      onEvent(event) {
        process.stdout.write(`${name} ${JSON.stringify(event)}\n`);
        if (event.kind !== "tftp") return;
        repeated += event.retransmissions;
        if (event.file === "file" && event.outcome === "complete") finish();
      },
    });
    const common = ["-accel", "tcg", "-m", "512", "-display", "none", "-no-reboot", "-nodefaults"];
    const qemu = start("qemu-system-x86_64", [...common, ...args]);
    await finished;
    await delay(300);
    qemu.kill("SIGKILL");
    tcpdump.kill("SIGINT");
    await once(tcpdump, "close");
    await server.close();
    // The replay has no timers: a capture in which the server was too late is of no use to it.
    again = repeated > 0;
  }
}
for (const child of children) child.kill("SIGKILL");
await rm(directory, { recursive: true });
process.exit();
