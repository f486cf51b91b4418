/** A bundle to boot in every cell: Debian's cloud kernel, and busybox in two segments, the second with bytes of its own. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { encodeCpio } from "@justenough/cpio";
import { distroKernel } from "@justenough/kernel";
import { aptDownload, aptPackage } from "../../../packages/kernel/src/internal/apt.ts";

const exec = promisify(execFile);

const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
exec >/dev/console 2>&1
echo "CELL init"
echo "CELL bundle $(/bin/busybox cat /payload /init | /bin/busybox sha256sum)"
echo "CELL params $(/bin/busybox cat /params/cell)"
echo "CELL cmdline [$(/bin/busybox cat /proc/cmdline)]"
echo "CELL end"
/bin/busybox poweroff -f
`;

/** The processor of a cell's machine. */
export type GuestArch = "x86_64" | "arm64";

export interface MatrixGuest extends AsyncDisposable {
  readonly kernel: string;
  readonly initrd: readonly string[];
  /** What the guest must find: sha256 over the files of both segments. */
  readonly hash: string;
  readonly directory: string;
  /** systemd's stub of another processor than this machine's. */
  readonly stubs: readonly string[];
}

/** Files of a Debian package for arm64. */
async function unpackArm64(name: string, directory: string): Promise<string> {
  const found = await aptPackage(name, {}, "arm64");
  if (found === undefined) throw new Error(`apt has no ${name} of arm64`);
  const place = join(directory, name);
  await exec("dpkg-deb", ["-x", await aptDownload(found, {}), place]);
  return place;
}

/** Makes the bundle in a temporary directory. */
export async function makeMatrixGuest(arch: GuestArch = "x86_64"): Promise<MatrixGuest> {
  const directory = await mkdtemp(join(tmpdir(), "pxe-matrix-"));
  const payload = randomBytes(1_000_003);
  const foreign = arch === "arm64";
  const busybox = foreign
    ? join(await unpackArm64("busybox-static", directory), "bin/busybox")
    : "/bin/busybox";
  const stub = "usr/lib/systemd/boot/efi/linuxaa64.efi.stub";
  const stubs = foreign ? [join(await unpackArm64("systemd-boot-efi", directory), stub)] : [];
  const base = encodeCpio([
    ...["bin", "proc", "dev"].map((name) => ({ type: "directory", name }) as const),
    { type: "file", name: "bin/busybox", mode: 0o755, data: await readFile(busybox) },
    { type: "symlink", name: "bin/sh", target: "busybox" },
    { type: "file", name: "init", mode: 0o755, data: INIT },
    { type: "character", name: "dev/console", mode: 0o600, rdev: { major: 5, minor: 1 } },
  ]);
  const initrd = [join(directory, "base.cpio"), join(directory, "extra.cpio")];
  await writeFile(initrd[0] ?? "", base);
  await writeFile(initrd[1] ?? "", encodeCpio([{ type: "file", name: "payload", data: payload }]));
  return {
    kernel: (await distroKernel({ arch })).image,
    initrd,
    hash: createHash("sha256").update(payload).update(INIT).digest("hex"),
    directory,
    stubs,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
