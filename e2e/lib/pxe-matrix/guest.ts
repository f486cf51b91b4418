/** A bundle to boot in every cell: Debian's cloud kernel, and busybox in two segments, the second with bytes of its own. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeCpio } from "@justenough/cpio";
import { distroKernel } from "@justenough/kernel";
import { ARM64_STUB, unpackForeign } from "../debian-package.ts";

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

/** Makes the bundle in a temporary directory. */
export async function makeMatrixGuest(arch: GuestArch = "x86_64"): Promise<MatrixGuest> {
  const directory = await mkdtemp(join(tmpdir(), "pxe-matrix-"));
  const payload = randomBytes(1_000_003);
  const foreign = arch === "arm64";
  const busybox = foreign
    ? join(await unpackForeign("busybox-static", arch, directory), "bin/busybox")
    : "/bin/busybox";
  const stubs = foreign ? [join(await unpackForeign("systemd-boot-efi", arch, directory), ARM64_STUB)] : [];
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
