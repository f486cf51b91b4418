import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { machineDevices } from "@justenough/kernel";
import { readDevices } from "../src/bundle/devices.ts";
import { originIn, placeRefusals } from "../src/bundle/refused-config.ts";
import { loadSpec, parseSpec } from "../src/spec/load.ts";

const execFileAsync = promisify(execFile);
const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));

async function probe(...flags: readonly string[]): Promise<string> {
  return (await execFileAsync(process.execPath, [cli, "probe", ...flags])).stdout;
}

test("the command of probe lists what kbuild finds itself", async () => {
  const stdout = await probe();
  expect(stdout.trim().split("\n")).toHaveLength(1);
  const { stdout: listed } = await execFileAsync("sh", ["-c", stdout]);
  expect(readDevices(listed).sort()).toEqual(await machineDevices());
  expect(await probe("--here")).toBe((await machineDevices()).map((line) => `${line}\n`).join(""));
});

test("modules that drive a device are listed, and what one loads by name", async () => {
  const sysfs = await mkdtemp(join(tmpdir(), "appliance-sysfs-"));
  try {
    const card = join(sysfs, "devices/pci0000:00/0000:00:14.3");
    await mkdir(card, { recursive: true });
    await writeFile(join(card, "modalias"), "pci:v00008086d00002723");
    for (const path of ["iwlwifi/drivers", "iwlwifi/holders", "iwlmvm", "other/drivers", "unused/drivers"])
      await mkdir(join(sysfs, "module", path), { recursive: true });
    for (const name of ["iwlmvm", "other"])
      await symlink(`../../${name}`, join(sysfs, "module/iwlwifi/holders", name));
    await mkdir(join(sysfs, "bus/pci/drivers/iwl"), { recursive: true });
    await symlink("../../../../module/iwlwifi", join(sysfs, "bus/pci/drivers/iwl/module"));
    await symlink("../../../bus/pci/drivers/iwl", join(card, "driver"));
    const wanted = ["iwlmvm", "iwlwifi", "pci:v00008086d00002723"];
    expect(await machineDevices(sysfs)).toEqual(wanted);
    const command = (await probe()).replaceAll("/sys/", `${sysfs}/`);
    const { stdout } = await execFileAsync("sh", ["-c", command]);
    expect(stdout.trim().split("\n").sort()).toEqual(wanted);
  } finally {
    await rm(sysfs, { recursive: true });
  }
});

test("a list of devices may have comments and say things twice", () => {
  expect(readDevices("# a laptop\n\npci:v1d2 \npci:v1d2\nusb:v3p4\n")).toEqual(["pci:v1d2", "usb:v3p4"]);
});

test.each([
  ["", "There is no device in"],
  ["# nothing\r\n", "There is no device in"],
  ["00:02.0 VGA compatible controller: Intel\n\tKernel driver in use: i915\n", "There is no device in"],
  ["\0\u0001pci\0", "There is no device in"],
  ["some noise\r\npci:v1d2\r\nusb:v3p4", undefined],
  ["\ufeffacpi:LNXCPU:", undefined],
])("a file that lists no device is no file of devices: %j", async (text, problem) => {
  const directory = await mkdtemp(join(tmpdir(), "appliance-devices-"));
  const file = join(directory, "appliance.yaml");
  await writeFile(file, "name: a\nrun: sh\nkernel: { devices: laptop.txt }\n");
  await writeFile(join(directory, "laptop.txt"), text);
  const message = await loadSpec(file).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
  await rm(directory, { recursive: true });
  if (problem === undefined) expect(message).toBeUndefined();
  else expect(message).toContain(`appliance.yaml:3:20: ${problem}`);
});

test("a symbol that a device needs is refused as the device's, and not as one of kernel.config", () => {
  const { source } = parseSpec("name: a\nrun: sh\nkernel:\n  devices: laptop.txt\n  config: { NET: n }\n");
  const refusal = (symbol: string, key: "config" | "devices"): object => ({
    symbol,
    origin: originIn(source, key),
  });
  const cause = { hint: "a hint", refusals: [refusal("E1000E", "devices"), refusal("NET", "config")] };
  const { message } = placeRefusals(cause, source, ({ symbol, origin }) => `${symbol} ${origin}`) as Error;
  expect(message.split("\n").filter((line) => /kernel\./.test(line))).toEqual([
    expect.stringMatching(/:4:3: E1000E kernel\.devices$/),
    expect.stringMatching(/:5:13: NET kernel\.config$/),
  ]);
  const other = { refusals: [{ symbol: "X", origin: 'feature "net"' }] };
  expect(placeRefusals(other, source, () => "")).toBe(other);
});

test("a defconfig is for a kernel that is built", () => {
  const spec = (source: string): string =>
    `name: a\nrun: [b]\nkernel: { source: ${source}, defconfig: minimal.defconfig }\n`;
  expect(parseSpec(spec("debian")).spec.kernel.defconfig).toMatch(/\/minimal\.defconfig$/);
  expect(() => parseSpec(spec("distro"))).toThrow(
    "The distribution's kernel is configured and built already",
  );
  expect(parseSpec(spec("debian"), { overrides: { kernel: "distro" } }).spec.kernel.defconfig).toBeNull();
});

test("options are for kernels that are built", () => {
  const spec = (source: string): string =>
    `name: a\nrun: [b]\nkernel: { source: ${source}, config: { EXT4_FS: y } }\n`;
  expect(parseSpec(spec("debian")).spec.kernel.config).toEqual({ EXT4_FS: "y" });
  expect(() => parseSpec(spec("distro"))).toThrow(
    "The distribution's kernel is configured and built already",
  );
  expect(parseSpec(spec("debian"), { overrides: { kernel: "distro" } }).spec.kernel.source.kind).toBe(
    "distro",
  );
});

test("devices are for kernels that are built", () => {
  const spec = (source: string): string =>
    `name: a\nrun: [b]\nkernel: { source: ${source}, devices: laptop.txt }\n`;
  expect(parseSpec(spec("debian")).spec.kernel.devices).toMatch(/\/laptop\.txt$/);
  expect(() => parseSpec(spec("distro"))).toThrow(
    "The distribution's kernel is configured and built already",
  );
  // Asked for on the command line it is taken as it is.
  expect(parseSpec(spec("debian"), { overrides: { kernel: "distro" } }).spec.kernel.devices).toBeNull();
});
