import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { distroKernel, driversFor, machineDevices } from "../src/index.ts";
import type { KernelArtifacts } from "../src/index.ts";
import { readModuleAliases } from "../src/internal/module-aliases.ts";
import { DEBIAN } from "./support/debian.ts";
import { checkDrivers } from "./support/drivers-check.ts";
import { kbuild } from "./support/kbuild.ts";
import { scratchDirectory } from "./support/real-source.ts";

/** Of the series of the source; the one for all machines is asked by test/drivers/run-drivers.ts. */
const PACKAGE = "linux-image-6.12-cloud-amd64";
let kernel: KernelArtifacts;

beforeAll(async () => {
  kernel = await distroKernel({ package: PACKAGE });
}, 600_000);

test(
  "50 devices of the distribution's index get the symbols that build their modules",
  { timeout: 120_000 },
  async () => {
    const seed = Number(process.env["DRIVERS_SEED"] ?? 20_261_127);
    console.log(`seed ${seed}`);
    const checks = await checkDrivers(kernel, DEBIAN, 50, seed);
    expect(checks.filter(({ problem }) => problem !== undefined)).toEqual([]);
    expect(new Set(checks.map(({ module }) => module)).size).toBeGreaterThan(10);
  },
);

const NIC = "virtio:d00000001v00001AF4";
const AHCI = "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01";

test("the command prints a fragment with a reason for each line, and names what it does not know", async () => {
  const list = join(await scratchDirectory(), "list");
  await writeFile(list, `# a machine\n${NIC}\n\npci:v0000FFFFd0000FFFFsv0sd0bcFFscFFiFF\n`);
  const { out, status } = await kbuild("drivers", "--package", PACKAGE, "--modalias", AHCI, "--from", list);
  expect(status).toBe(0);
  expect(out).toContain(`# ahci\n#   ${AHCI}\nCONFIG_SATA_AHCI=y\n`);
  expect(out).toContain(`# virtio_net\n#   ${NIC}\nCONFIG_VIRTIO_NET=y\n`);
  expect(out).toContain("# no module:\n#   pci:v0000FFFFd0000FFFFsv0sd0bcFFscFFiFF\n");
  expect((await kbuild("drivers", "--from", "/no/such/list")).status).toBe(2);
});

test("firmware is what the module asks for", async () => {
  const { aliases } = await readModuleAliases(kernel.modules ?? "");
  const asking = aliases.find(({ module }) => module === "me4000");
  const { drivers } = await driversFor([(asking?.alias ?? "").replaceAll("*", "")], {
    kernel,
    source: DEBIAN,
  });
  const me4000 = drivers.find(({ module }) => module === "me4000");
  expect(me4000?.firmware).toEqual(["me4000_firmware.bin"]);
  expect(me4000?.symbols).toEqual(["COMEDI_ME4000"]);
});

test("a module's name stands for itself, and for the devices that it is seen to drive", async () => {
  const { aliases, find } = await readModuleAliases(kernel.modules ?? "");
  const modalias = aliases
    .map(({ alias }) => alias.replaceAll("*", ""))
    .find((alias) => alias.startsWith("pci:") && find(alias).length > 1);
  if (modalias === undefined) throw new Error("no device has two modules");
  const both = find(modalias).map(({ name }) => name);
  const modulesFor = async (
    ...devices: readonly string[]
  ): Promise<(readonly [string, readonly string[]])[]> =>
    (await driversFor(devices, { kernel, source: DEBIAN })).drivers.map(({ module, devices }) => [
      module,
      devices,
    ]);
  expect(await modulesFor(modalias)).toEqual(both.map((name) => [name, [modalias]]));
  const [, second = ""] = both;
  expect(await modulesFor(modalias, second)).toEqual([[second, [modalias]]]);
  expect(await modulesFor("virtio-net")).toEqual([["virtio_net", []]]);
  const { unknown } = await driversFor(["nvidia"], { kernel, source: DEBIAN });
  expect(unknown).toEqual(["nvidia"]);
});

test("a machine's devices are read from sysfs, each once", async () => {
  const sysfs = await scratchDirectory();
  for (const [device, text] of [
    ["pci0000:00/0000:00:01.0", `${AHCI}\n`],
    ["pci0000:00/0000:00:02.0", `${AHCI}\n`],
    ["virtual/virtio0", NIC],
  ] as const) {
    await mkdir(join(sysfs, "devices", device), { recursive: true });
    await writeFile(join(sysfs, "devices", device, "modalias"), text);
  }
  expect(await machineDevices(sysfs)).toEqual([AHCI, NIC]);
  const { out } = await kbuild("probe");
  expect(out.trim().split("\n")).toEqual(await machineDevices());
});
