import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** A package of the distribution, downloaded by apt once and kept in the cache. */
export function debPackage(name: string): string {
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const cache = join(base, "justenough", "initramfs-test", "packages");
  mkdirSync(cache, { recursive: true });
  const find = (directory: string): string | undefined =>
    readdirSync(directory).find((file) => file.startsWith(`${name}_`) && file.endsWith(".deb"));
  const kept = find(cache);
  if (kept !== undefined) return join(cache, kept);
  const work = mkdtempSync(join(cache, ".tmp-"));
  try {
    const args = ["-o", "APT::Sandbox::User=root", "download", name];
    execFileSync("apt-get", args, { cwd: work, stdio: "pipe" });
    const file = find(work) as string;
    renameSync(join(work, file), join(cache, file));
    return join(cache, file);
  } finally {
    rmSync(work, { recursive: true });
  }
}
