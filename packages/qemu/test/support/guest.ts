/** A real guest for the tests: Debian's kernel and a busybox that does what `do=` on the command line says. */
import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

export interface Guest {
  readonly kernel: string;
  readonly initrd: string;
  remove(): Promise<void>;
}

/** In load order, for a virtio network card, pvpanic, disks and virtiofs. */
const MODULES = [
  [
    "drivers/virtio",
    ["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"],
  ],
  ["net/core", ["failover"]],
  ["drivers/net", ["net_failover", "virtio_net"]],
  ["drivers/misc/pvpanic", ["pvpanic", "pvpanic-pci"]],
  ["drivers/block", ["virtio_blk"]],
  ["fs/fuse", ["fuse", "virtiofs"]],
] as const;

const PARTS = ["./boot", ...["virtio", "block", "net", "misc"].map((name) => `*/kernel/drivers/${name}`)]
  .concat(
    ["net/core", "net/9p", "fs/fuse", "fs/netfs", "fs/fscache", "fs/9p"].map((name) => `*/kernel/${name}`),
  )
  .map((name) => `'${name}'`)
  .join(" ");

/** What the guest shows after a thousand numbered lines: characters of code page 437 and colours, anywhere. */
const SCREEN = [
  "Pack my box with five dozen liquor jugs, 0123456789 times!\n",
  "┌─┬─┐ ╔═╦═╗ ░▒▓█ é ñ ß ½ π ≤ ÷ ·\n",
  "\x1B[1;33;44mbright on blue\x1B[0m and \x1B[31mred\x1B[0m\n",
  "\x1B[3;40Haddressed\x1B[25;80Hx\x1B[24;3H",
].join("");

const INIT = String.raw`#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
insmods() { for m in "$@"; do insmod /modules/$m.ko || echo "no module $m"; done; }
do=$(sed -n 's/.*do=\([a-z-]*\).*/\1/p' /proc/cmdline)
echo "guest: do=$do"
case $do in
  serve)
    insmods virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net
    ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up
    stty raw -echo < /dev/ttyS1
    (while :; do echo "hello from the guest" | nc -l -p 80; done) &
    # From here on the screen is ours: a thousand lines, more than the card's memory holds, and then what is looked for.
    dmesg -n 1
    (seq 1000; cat /screen) > /dev/tty0
    echo "guest: ready"
    read -r line < /dev/ttyS1
    dmesg -n 7
    printf 'you said <%s> \000\377\n' "$line" > /dev/ttyS1
    read -r answer
    echo "console got <$answer>"
    poweroff -f ;;
  net)
    # Commands come on the console; its address from the command line, which the kernel hands on as our environment.
    insmods virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net
    ip addr add $address/24 dev eth0; ip link set eth0 up
    stty -echo
    echo "guest: ready"
    while read -r command; do eval "$command"; echo "guest: status $?"; done ;;
  flood) dd if=/dev/zero bs=1k count=300 2>/dev/null | tr '\000' x; echo; echo "guest: flooded"
    # reboot -f does not wait for what the terminal still holds.
    sleep 1; reboot -f ;;
  crash) insmods pvpanic pvpanic-pci; echo c > /proc/sysrq-trigger ;;
  agent)
    insmods virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_console
    /agent & wait ;;
  exit) exit 3 ;;
  devices)
    mkdir -p /sys /mnt; mount -t sysfs sys /sys
    [ -d /sys/firmware/efi ] && echo "guest: started by UEFI"
    insmods virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk fuse virtiofs
    for disk in vda vdb vdc vdd nvme0n1; do
      [ -b /dev/$disk ] || continue
      echo "guest: $disk says $(dd if=/dev/$disk bs=16 count=1 2>/dev/null | tr -d '\000')"
      printf 'from the guest  ' | dd of=/dev/$disk conv=fsync 2>/dev/null && echo "guest: $disk written" || echo "guest: $disk not written"
    done
    if [ -f /modules/9p.ko ]; then
      insmods netfs fscache 9pnet 9p 9pnet_virtio
      for tag in read write; do
        mount -t 9p -o trans=virtio,msize=512000 $tag /mnt || continue
        echo "guest: $tag says $(cat /mnt/note)"
        echo "from the guest" > /mnt/answer && echo "guest: $tag written" || echo "guest: $tag not written"
        umount /mnt
      done
    fi
    if mount -t virtiofs shared /mnt; then
      echo "guest: share says $(cat /mnt/note)"
      echo "from the guest" > /mnt/answer
      umount /mnt
    fi
    poweroff -f ;;
  show) dmesg -n 1; (seq 1000; cat /screen) > /dev/tty0; echo "guest: shown"; while :; do sleep 1000; done ;;
  off) poweroff -f ;;
  *) echo "guest: hanging"; while :; do sleep 1000; done ;;
esac
`;

/** What is unpacked of Debian's cloud kernel alone. */
const CONSOLE = [["drivers/char", ["virtio_console"]]] as const;

/** Only in Debian's kernel for all machines. */
const NINEP = [
  ["fs/netfs", ["netfs"]],
  ["fs/fscache", ["fscache"]],
  ["net/9p", ["9pnet", "9pnet_virtio"]],
  ["fs/9p", ["9p"]],
] as const;

/**
 * Downloads and unpacks the kernel once per user, and makes the initramfs in a temporary directory.
 *
 * @param flavour - `cloud-amd64` starts fastest; `amd64` has 9p and a graphic console (vesafb).
 */
export async function prepareGuest(flavour: "cloud-amd64" | "amd64" = "cloud-amd64"): Promise<Guest> {
  const root = await unpackedKernel(flavour);
  const boot = await readdir(join(root, "boot"));
  const kernel = boot.find((name) => name.startsWith("vmlinuz-"));
  if (kernel === undefined) throw new Error(`No kernel in ${root}/boot`);
  const directory = await mkdtemp(join(tmpdir(), "qemu-test-"));
  const initrd = await buildInitramfs(
    join(root, "lib/modules", kernel.slice("vmlinuz-".length), "kernel"),
    directory,
    [...MODULES, ...(flavour === "amd64" ? NINEP : CONSOLE)],
  );
  return {
    kernel: join(root, "boot", kernel),
    initrd,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function unpackedKernel(flavour: string): Promise<string> {
  const { stdout } = await exec("apt-cache", ["depends", `linux-image-${flavour}`]);
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (name === undefined) throw new Error(`apt offers no linux-image-${flavour}: run apt-get update`);
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "justenough", "qemu-test");
  const target = join(cache, name);
  await mkdir(cache, { recursive: true });
  if ((await readdir(cache)).includes(name)) return target;
  const part = await mkdtemp(join(cache, "part-"));
  try {
    await exec("apt-get", ["download", name], { cwd: part });
    const [deb] = await readdir(part);
    // All modules of the kernel for all machines would be 400 MB.
    const wanted = flavour === "amd64" ? PARTS : ".";
    const unpack = `mkdir root && dpkg-deb --fsys-tarfile "$0" | tar -x -C root --wildcards ${wanted}`;
    await exec("sh", ["-c", unpack, deb ?? ""], { cwd: part });
    await rename(join(part, "root"), target).catch((error: NodeJS.ErrnoException) => {
      // Somebody else was faster.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return target;
}

async function buildInitramfs(
  modules: string,
  directory: string,
  wanted: readonly (readonly [where: string, names: readonly string[]])[],
): Promise<string> {
  const root = join(directory, "root");
  for (const name of ["bin", "dev", "proc", "modules"]) await mkdir(join(root, name), { recursive: true });
  await copyFile("/bin/busybox", join(root, "bin/busybox"));
  for (const [where, names] of wanted) {
    for (const name of names)
      await copyFile(join(modules, where, `${name}.ko`), join(root, "modules", `${name}.ko`));
  }
  await writeFile(join(root, "init"), INIT);
  await chmod(join(root, "init"), 0o755);
  await writeFile(join(root, "screen"), SCREEN);
  const archive = join(directory, "initramfs.cpio");
  await exec("sh", ["-c", `find . | cpio -o -H newc --quiet > "$0"`, archive], { cwd: root });
  return archive;
}
