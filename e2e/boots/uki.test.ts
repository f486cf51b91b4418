/** Unified Kernel Images, started by UEFI from a disk: no boot loader, and QEMU is given no kernel. */
import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { root } from "@justenough-dev/tools/workspace";
import { encodeCpio } from "@justenough/cpio";
import { distroKernel } from "@justenough/kernel";
import { launch } from "@justenough/qemu";
import { prepareUki, type Uki } from "@justenough/uki";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ARM64_STUB, unpackForeign } from "../lib/debian-package.ts";

const exec = promisify(execFile);
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "e2e-uki-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

type Machine = "x86_64" | "arm64";
const COMPILERS = { x86_64: "gcc", arm64: "aarch64-linux-gnu-gcc" } as const;
/** What UEFI looks for on a disk (UEFI specification, "Removable Media Boot Behavior"). */
const BOOT_FILES = { x86_64: "BOOTX64.EFI", arm64: "BOOTAA64.EFI" } as const;

const archive = (name: string, data: Uint8Array | string, mode = 0o644): Uint8Array =>
  encodeCpio([{ type: "file", name, mode, data }]);

/** An initramfs of two archives; the second is compressed and has an odd length. */
async function prepare(arch: Machine, cmdline: string, stub?: string): Promise<Uki> {
  const init = join(scratch, `init-${arch}`);
  await exec(COMPILERS[arch], ["-static", "-Os", "-s", "-o", init, join(root, "e2e/lib/uki/init.c")]);
  const first = join(scratch, `first-${arch}`);
  await writeFile(
    first,
    Buffer.concat([archive("init", await readFile(init), 0o755), archive("first", "the first")]),
  );
  const second = join(scratch, `second-${arch}`);
  let text = "the second";
  do {
    await writeFile(second, archive("second", text));
    await exec("gzip", ["-nf", second]);
    text += ".";
  } while ((await stat(`${second}.gz`)).size % 2 === 0);
  const { image } = await distroKernel({ arch });
  return prepareUki({ kernel: image, initrd: [first, `${second}.gz`], cmdline, stub });
}

/** Boots from a disk with an EFI system partition; what the guest said. */
async function boot(arch: Machine, uki: Uki): Promise<string[]> {
  const efi = join(scratch, "uki.efi");
  await pipeline(uki.stream(), createWriteStream(efi));
  expect((await stat(efi)).size).toBe(uki.size);
  const disk = join(scratch, "disk.img");
  await rm(disk, { force: true });
  await exec("mformat", ["-i", disk, "-C", "-c", "64", "-T", String(96 * 2048), "::"]);
  await exec("mmd", ["-i", disk, "::/EFI", "::/EFI/BOOT"]);
  await exec("mcopy", ["-i", disk, efi, `::/EFI/BOOT/${BOOT_FILES[arch]}`]);
  await using vm = await launch(
    { arch, firmware: "uefi", disks: [{ path: disk, readOnly: true }] },
    { deadlines: { total: 240_000 } },
  );
  const { kind } = await vm.wait();
  const text = vm.console.text();
  expect(kind, text).toBe("poweroff");
  return text
    .split(/\r?\n/)
    .filter((line) => line.startsWith("guest: "))
    .map((line) => line.slice(7));
}

/** As the guest reports a file. */
function line(path: string, content: string): string {
  let hash = 2_166_136_261;
  for (const byte of Buffer.from(content)) hash = Math.imul(hash ^ byte, 16_777_619) >>> 0;
  const size = Buffer.byteLength(content);
  return `${path}: ${size} bytes, ${hash.toString(16).padStart(8, "0")}: ${content.slice(0, 200).split("\n", 1)[0]}`;
}

// An emulated UEFI of arm64 takes its time: UKI_BOOTS=all boots that one as well.
const MACHINES = process.env["UKI_BOOTS"] === "all" ? (["x86_64", "arm64"] as const) : (["x86_64"] as const);
test.each(MACHINES)(
  "an image boots with its command line, its initramfs, and a file appended for one machine, on %s",
  async (arch: Machine) => {
    const stub =
      arch === "arm64" ? join(await unpackForeign("systemd-boot-efi", arch, scratch), ARM64_STUB) : undefined;
    const cmdline = `console=${arch === "arm64" ? "ttyAMA0" : "ttyS0"} panic=-1 quiet what="one two" ä=ö`;
    const file = "only for this machine\n".repeat(20_001);
    const uki = await prepare(arch, cmdline, stub);
    expect(await boot(arch, await uki.withInitrd([archive("machine", file)]))).toEqual([
      "started by UEFI",
      line("/proc/cmdline", `${cmdline}\n`),
      line("/first", "the first"),
      expect.stringMatching(/^\/second: .*: the second\.*$/),
      line("/machine", file),
    ]);
  },
);
