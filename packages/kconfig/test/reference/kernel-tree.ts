/** Configuration files of Debian's kernel sources: all that Kconfig reads, and nothing else. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keptDirectory } from "./cache.ts";

export type KernelSeries = "6.1" | "6.12";

export interface KernelTree {
  readonly series: string;
  readonly directory: string;
}

const FILES = ["*/Kconfig*", "*/scripts/*", "*/configs/*", "*/Makefile", "*/Kbuild*", "*/arch/*/tools/*"];

/** The tree of a series, fetched by apt once for a version. */
export function kernelTree(series: KernelSeries): KernelTree {
  const name = `linux-source-${series}`;
  const version = execFileSync("apt-cache", ["show", "--no-all-versions", name], { encoding: "utf8" });
  const directory = keptDirectory(
    `tree-${series}`,
    [/^Version: (.*)$/m.exec(version)?.[1] ?? ""],
    (target) => {
      const scratch = mkdtempSync(join(tmpdir(), "kconfig-tree-"));
      try {
        execFileSync("apt-get", ["-o", "APT::Sandbox::User=root", "download", name], {
          cwd: scratch,
          stdio: ["ignore", "ignore", "inherit"],
        });
        const deb = readdirSync(scratch).find((file) => file.endsWith(".deb")) ?? "";
        unpackTree(join(scratch, deb), target);
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    },
  );
  return { series, directory };
}

/** Unpacks the configuration files of a linux-source package. */
export function unpackTree(deb: string, target: string): void {
  const patterns = FILES.map((pattern) => `'${pattern}'`).join(" ");
  const script =
    `dpkg-deb --fsys-tarfile "$1" | tar xO --wildcards './usr/src/linux-source-*.tar.xz' | ` +
    `tar xJ -C "$2" --strip-components=1 --wildcards ${patterns}`;
  execFileSync("bash", ["-o", "pipefail", "-c", script, "bash", deb, target], { stdio: "inherit" });
}
