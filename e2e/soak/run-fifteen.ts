/**
 * Builds the least kernel that has fifteen wanted options, and boots it: a program runs, its console, /proc, /sys, /dev and a
 * tmpfs are there. With one option more, PCI_MSI, its cards have interrupts (nobody has asked for ACPI), and an ext4 disk on
 * virtio and a TCP connection over virtio's network card are used:
 *
 *   node e2e/soak/run-fifteen.ts 6.1 | 6.12
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { encodeCpio } from "@justenough/cpio";
import { buildKernel } from "@justenough/kernel";
import { launch } from "@justenough/qemu";
import { FIFTEEN } from "../../packages/kconfig/test/solve/fifteen.ts";

const SCRIPT = `set -e
b=/bin/busybox
for what in proc:/proc sysfs:/sys devtmpfs:/dev tmpfs:/tmp; do $b mount -t \${what%:*} none \${what#*:}; done
echo "booted: $($b uname -r) $($b ls -d /proc/self /sys/devices /dev/vda)"
[ -e /port ] || $b poweroff -f
$b mount -t ext4 /dev/vda /mnt
$b cp /mnt/told /tmp/told
echo "disk: $($b cat /tmp/told)"
$b ifconfig eth0 10.0.2.15 up
echo "net: $($b wget -q -O - http://10.0.2.2:$($b cat /port)/)"
$b poweroff -f
`;

const [series = "6.1"] = process.argv.slice(2);
const scratch = await mkdtemp(join(tmpdir(), "fifteen-"));
const server = createServer((_, response) => void response.end("told over TCP"));
try {
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const disk = await ext4();
  const cards = "/dev/vda";
  await judge(FIFTEEN, { disk }, [`booted: ${series}`, cards]);
  await judge([...FIFTEEN, "PCI_MSI"], { disk, port }, [cards, "disk: told by a disk", "net: told over TCP"]);
} finally {
  server.close();
  await rm(scratch, { recursive: true, force: true });
}

interface Outside {
  readonly disk: string;
  /** Of a server on this machine; undefined: the disk and the network are not used. */
  readonly port?: number;
}

async function judge(wanted: readonly string[], outside: Outside, told: readonly string[]): Promise<void> {
  let last = -1;
  const kernel = await buildKernel({
    source: { kind: "debian", series },
    features: [],
    config: Object.fromEntries(wanted.map((symbol) => [symbol, "y"])),
    onProgress: ({ phase, done, total }) => {
      const part = Math.floor(done / 200);
      if (part !== last) console.error(`${phase} ${done} of ${total ?? "?"}`);
      last = part;
    },
  });
  const config = await readFile(kernel.config, "utf8");
  const off = wanted.filter((symbol) => !config.includes(`\nCONFIG_${symbol}=y\n`));
  if (off.length > 0) throw new Error(`not on: ${off.join(" ")}`);
  const set = config.match(/^CONFIG_\w+=y$/gm)?.length;
  const { size } = await stat(kernel.image);
  const text = await boot(kernel.image, outside);
  const lacks = told.filter((words) => !text.includes(words));
  const ok = lacks.length === 0 ? "ok   " : "WRONG";
  console.log(`${ok} ${wanted.length} wants: ${kernel.release}, ${set} options, ${size} bytes`);
  if (lacks.length === 0) return;
  console.log(`no "${lacks.join('", no "')}" in:\n${text.slice(-3000)}`);
  process.exitCode = 1;
}

async function ext4(): Promise<string> {
  const disk = join(scratch, "disk");
  const content = join(scratch, "content");
  await mkdir(content);
  await writeFile(join(content, "told"), "told by a disk\n");
  // Debian has it where only root looks for programs.
  await promisify(execFile)("/sbin/mke2fs", ["-q", "-t", "ext4", "-d", content, disk, "8M"]);
  return disk;
}

async function boot(image: string, { disk, port }: Outside): Promise<string> {
  const directories = ["bin", "proc", "sys", "dev", "tmp", "mnt"];
  const archive = encodeCpio([
    ...directories.map((name) => ({ type: "directory" as const, name, mode: 0o755 })),
    { type: "file", name: "bin/busybox", mode: 0o755, data: await readFile("/bin/busybox") },
    { type: "symlink", name: "bin/sh", target: "busybox" },
    { type: "file", name: "run.sh", mode: 0o644, data: SCRIPT },
    ...(port === undefined ? [] : [{ type: "file" as const, name: "port", mode: 0o644, data: String(port) }]),
  ]);
  // Scripts have no handler of their own in this kernel: the shell is started, and told what to run.
  const cmdline = "console=ttyS0 quiet panic=-1 rdinit=/bin/sh -- /run.sh";
  const drive = ["-drive", `if=none,id=d,format=raw,file=${disk}`, "-device", "virtio-blk-pci,drive=d"];
  await using vm = await launch(
    { kernel: image, initrd: [archive], cmdline, nics: [{ kind: "user" }], extraArgs: drive },
    { deadlines: { total: 60_000 } },
  );
  await vm.wait();
  return vm.console.text();
}
