import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const SERIES = "6.12";

/** The kernel's own usr/gen_init_cpio.c, compiled into a directory. */
export function genInitCpio(directory: string, flags: readonly string[] = ["-O1"]): string {
  const program = join(directory, "gen_init_cpio");
  execFileSync("cc", ["-w", ...flags, "-o", program, source()]);
  return program;
}

/** From a kernel source that the cache has for building kernels, else from Debian's package; kept in the cache. */
function source(): string {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "justenough");
  const kept = join(cache, "initramfs-test", "gen_init_cpio.c");
  if (existsSync(kept)) return kept;
  mkdirSync(join(cache, "initramfs-test"), { recursive: true });
  const trees = join(cache, "kernel/sources");
  const known = (existsSync(trees) ? readdirSync(trees) : [])
    .map((name) => join(trees, name, "usr/gen_init_cpio.c"))
    .find((path) => existsSync(path));
  if (known === undefined) return download(kept);
  copyFileSync(known, `${kept}.${process.pid}`);
  renameSync(`${kept}.${process.pid}`, kept);
  return kept;
}

function download(kept: string): string {
  const work = mkdtempSync(join(kept, "../.tmp-"));
  try {
    const name = `linux-source-${SERIES}`;
    execFileSync("apt-get", ["-o", "APT::Sandbox::User=root", "download", name], {
      cwd: work,
      stdio: "pipe",
    });
    const deb = readdirSync(work).find((file) => file.endsWith(".deb")) as string;
    const script =
      `dpkg-deb --fsys-tarfile "$1" | tar xO --wildcards './usr/src/linux-source-*.tar.xz' | ` +
      `tar xJ --strip-components=2 --wildcards '*/usr/gen_init_cpio.c'`;
    execFileSync("bash", ["-o", "pipefail", "-c", script, "bash", deb], { cwd: work, stdio: "pipe" });
    renameSync(join(work, "gen_init_cpio.c"), kept);
    return kept;
  } finally {
    rmSync(work, { recursive: true });
  }
}
