/**
 * Builds a kernel for each of six devices of QEMU from what `driversFor` proposes for it and its bus alone, boots it with
 * that device, and looks in the guest's /sys which driver the device is bound to:
 *
 *   node e2e/soak/run-drivers.ts 6.12 | 6.1 [--only NAME]
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { encodeCpio } from "@justenough/cpio";
import { buildKernel, defaultFeatures, driversFor } from "@justenough/kernel";
import type { KernelSource } from "@justenough/kernel";
import { launch } from "@justenough/qemu";

/** What a device is to QEMU, and the driver that it is to be bound to, as the kernel names that one. */
interface Device {
  readonly name: string;
  readonly args: (disk: string) => readonly string[];
  /** The device first, then what it hangs on, and the names of modules, as the file of a probed machine has them. */
  readonly devices: readonly [string, ...string[]];
  readonly driver: string;
}

const drive = (disk: string): readonly string[] => ["-drive", `if=none,id=d,format=raw,file=${disk}`];
const DEVICES: readonly Device[] = [
  {
    name: "e1000e",
    args: () => ["-device", "e1000e"],
    devices: ["pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00"],
    driver: "e1000e",
  },
  {
    name: "virtio-net",
    args: () => ["-device", "virtio-net-pci"],
    devices: [
      "virtio:d00000001v00001AF4",
      "pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00",
      "virtio_pci",
    ],
    driver: "virtio_net",
  },
  {
    name: "nvme",
    args: (disk) => [...drive(disk), "-device", "nvme,drive=d,serial=1"],
    devices: ["pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02"],
    driver: "nvme",
  },
  {
    name: "ahci",
    args: (disk) => [...drive(disk), "-device", "ahci,id=a", "-device", "ide-hd,drive=d,bus=a.0"],
    devices: ["pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01"],
    driver: "ahci",
  },
  {
    name: "usb-storage",
    args: (disk) => [...drive(disk), "-device", "qemu-xhci", "-device", "usb-storage,drive=d"],
    devices: [
      "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00",
      "pci:v00001B36d0000000Dsv00001AF4sd00001100bc0Csc03i30",
    ],
    driver: "usb-storage",
  },
  {
    name: "sound card",
    args: () => ["-audiodev", "none,id=n", "-device", "intel-hda", "-device", "hda-duplex,audiodev=n"],
    devices: ["pci:v00008086d00002668sv00001AF4sd00001100bc04sc03i00"],
    driver: "snd_hda_intel",
  },
];

/** Prints each device with its modalias and driver when all have had the time to be found. */
const INIT = `#!/busybox sh
/busybox mkdir /proc /sys
/busybox mount -t proc proc /proc
/busybox mount -t sysfs sys /sys
/busybox sleep 4
for d in /sys/bus/*/devices/*; do
  [ -e $d/modalias ] && echo "device $(/busybox cat $d/modalias) driver $(/busybox basename "$(/busybox readlink $d/driver)")"
done
echo "devices end"
/busybox poweroff -f
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string", default: "" } },
});
const source: KernelSource = { kind: "debian", series: positionals[0] ?? "6.12" };
const scratch = await mkdtemp(join(tmpdir(), "drivers-"));
let wrong = 0;
try {
  const disk = join(scratch, "disk");
  await writeFile(disk, Buffer.alloc(1 << 20));
  const archive = encodeCpio([
    { type: "file", name: "busybox", mode: 0o755, data: await readFile("/bin/busybox") },
    { type: "file", name: "init", mode: 0o755, data: INIT },
  ]);
  for (const device of DEVICES.filter(({ name }) => name.includes(values.only))) {
    const { ok, told } = await tryDevice(device, disk, archive);
    if (!ok) wrong += 1;
    console.log(`${ok ? "ok   " : "WRONG"} ${device.name}: ${told}`);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
process.exitCode = wrong === 0 ? 0 : 1;

async function tryDevice(
  { args, devices, driver }: Device,
  disk: string,
  archive: Uint8Array,
): Promise<{ readonly ok: boolean; readonly told: string }> {
  const { drivers } = await driversFor(devices, { source });
  const symbols = drivers.flatMap((one) => one.symbols);
  const kernel = await buildKernel({
    source,
    features: defaultFeatures(),
    config: Object.fromEntries(symbols.map((symbol) => [symbol, "y"])),
    onProgress: ({ phase, done, total }) => {
      if (done % 100 === 0) console.error(`${phase} ${done} of ${total ?? "?"}`);
    },
  });
  const set = (await readFile(kernel.config, "utf8")).match(/^CONFIG_\w+=y$/gm)?.length;
  const what = `${symbols.join(" ")}, ${set} options in ${kernel.release}`;
  await using vm = await launch(
    {
      kernel: kernel.image,
      initrd: [archive],
      cmdline: "console=ttyS0 quiet",
      nics: [],
      extraArgs: args(disk),
    },
    { deadlines: { total: 120_000 } },
  );
  await vm.wait();
  const text = vm.console.text();
  if (!text.includes("devices end")) {
    return { ok: false, told: `${what}: the guest did not get so far:\n${text.slice(-2000)}` };
  }
  const [modalias] = devices;
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith(`device ${modalias} `));
  const bound = lines.map((line) => line.replace(/.* driver /, ""));
  const found = lines.length === 0 ? `no device is "${modalias}"` : `bound to "${bound.join(", ")}"`;
  return { ok: bound.includes(driver), told: `${what}: ${found}` };
}
