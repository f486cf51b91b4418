import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface CloudKernel {
  readonly image: string;
  /** …/lib/modules/RELEASE */
  readonly modules: string;
  readonly release: string;
}

/** Debian's prebuilt cloud kernel, downloaded and unpacked without installing it; kept in the cache. */
export function cloudKernel(): CloudKernel {
  const cache = join(
    process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"),
    "justenough",
    "initramfs-test",
  );
  mkdirSync(cache, { recursive: true });
  const cached = readdirSync(cache).find((name) => name.startsWith("linux-image-") && !name.endsWith(".deb"));
  return describe(join(cache, cached ?? download(cache)));
}

function download(cache: string): string {
  const found = execFileSync("apt-cache", ["search", "--names-only", "^linux-image-[0-9].*-cloud-amd64$"], {
    encoding: "utf8",
  });
  const names = found.split("\n").map((line) => line.split(" ", 1)[0] as string);
  const collator = new Intl.Collator("en", { numeric: true });
  const name = names
    .filter((name) => /^linux-image-\d+\.\d+\.\d/.test(name))
    .sort((a, b) => collator.compare(a, b))
    .at(-1);
  if (name === undefined) throw new Error("apt offers no cloud kernel; run: apt-get update");
  const work = mkdtempSync(join(cache, ".tmp-"));
  try {
    execFileSync("apt-get", ["-o", "APT::Sandbox::User=root", "download", name], {
      cwd: work,
      stdio: "pipe",
    });
    const deb = readdirSync(work).find((file) => file.endsWith(".deb")) as string;
    execFileSync("dpkg", ["-x", deb, "root"], { cwd: work });
    const { release } = describe(join(work, "root"));
    execFileSync("depmod", ["-b", join(work, "root"), release]);
    try {
      renameSync(join(work, "root"), join(cache, name));
    } catch (error) {
      // Another run was faster.
      if (!existsSync(join(cache, name))) throw error;
    }
    return name;
  } finally {
    rmSync(work, { recursive: true });
  }
}

function describe(root: string): CloudKernel {
  const image = readdirSync(join(root, "boot")).find((name) => name.startsWith("vmlinuz-")) as string;
  const release = image.slice("vmlinuz-".length);
  const parent = existsSync(join(root, "lib/modules"))
    ? join(root, "lib/modules")
    : join(root, "usr/lib/modules");
  return { image: join(root, "boot", image), modules: join(parent, release), release };
}
