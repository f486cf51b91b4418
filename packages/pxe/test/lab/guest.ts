/** A guest to boot in tests: the distribution's cloud kernel and an initramfs of static busybox in two segments. */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The cache of test kernels; it may be deleted at any time. */
function cacheDirectory(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "justenough", "pxe-lab");
}

/** Debian's prebuilt cloud kernel, downloaded and unpacked without being installed. */
export async function cloudKernel(): Promise<string> {
  const { stdout } = await run("apt-cache", ["depends", "--no-recommends", "linux-image-cloud-amd64"]);
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (name === undefined) throw new Error(`apt knows no cloud kernel: ${stdout}`);
  const kept = join(cacheDirectory(), name);
  const present = await readFile(kept).catch(() => undefined);
  if (present) return kept;
  await mkdir(cacheDirectory(), { recursive: true });
  const work = await mkdtemp(join(cacheDirectory(), "download-"));
  try {
    await run("apt-get", ["download", name], { cwd: work });
    const [deb = ""] = await readdir(work);
    await run("dpkg", ["-x", deb, "tree"], { cwd: work });
    const image = (await readdir(join(work, "tree/boot"))).find((file) => file.startsWith("vmlinuz"));
    await rename(join(work, "tree/boot", image ?? ""), kept);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return kept;
}

async function archive(directory: string, output: string): Promise<void> {
  await run("sh", [
    "-c",
    `cd "$1" && find . | sort | cpio --quiet -o -H newc > "$2"`,
    "sh",
    directory,
    output,
  ]);
}

const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1
echo "LAB init"
echo "LAB payload $(/bin/busybox sha256sum /payload/random)"
echo "LAB cmdline [$(/bin/busybox cat /proc/cmdline)]"
echo "LAB end"
/bin/busybox poweroff -f
`;

export interface Guest {
  readonly kernel: string;
  readonly initrd: readonly string[];
  /** sha256 of the file /payload/random, which comes in the second segment. */
  readonly payload: string;
  readonly directory: string;
}

/** Build the guest in a temporary directory, which the caller removes. */
export async function makeGuest(payloadBytes = 1_000_003): Promise<Guest> {
  const directory = await mkdtemp(join(tmpdir(), "pxe-lab-"));
  const base = join(directory, "base");
  const extra = join(directory, "extra");
  for (const name of ["bin", "proc", "dev"]) await mkdir(join(base, name), { recursive: true });
  await mkdir(join(extra, "payload"), { recursive: true });
  await cp("/bin/busybox", join(base, "bin/busybox"));
  await symlink("busybox", join(base, "bin/sh"));
  await writeFile(join(base, "init"), INIT, { mode: 0o755 });
  const bytes = randomBytes(payloadBytes);
  await writeFile(join(extra, "payload/random"), bytes);
  const initrd = [join(directory, "base.cpio"), join(directory, "extra.cpio")];
  await archive(base, initrd[0] ?? "");
  await archive(extra, initrd[1] ?? "");
  const payload = createHash("sha256").update(bytes).digest("hex");
  return { kernel: await cloudKernel(), initrd, payload, directory };
}
