import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll } from "vitest";
import { fetchSource, resolveSource } from "../../src/index.ts";
import { aptDownload, aptPackage } from "../../src/internal/apt.ts";
import { DEBIAN } from "./debian.ts";

const execFileAsync = promisify(execFile);

/** The unpacked tree of {@link DEBIAN}. */
export async function realTree(): Promise<string> {
  return fetchSource(await resolveSource(DEBIAN));
}

const scratch: string[] = [];

// Said here and not where one is made: within a test it is too late for it.
afterAll(async () => {
  for (const directory of scratch) await rm(directory, { recursive: true, force: true });
});

/** A directory that is removed after the test file. */
export async function scratchDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "kernel-test-"));
  scratch.push(directory);
  return directory;
}

/** The original tar.xz of the whole tree, out of Debian's package. */
export async function realTarball(directory: string): Promise<string> {
  const offered = await aptPackage("linux-source-6.12", {});
  if (offered === undefined) throw new Error("apt offers no linux-source-6.12");
  const deb = await aptDownload(offered, {});
  const path = join(directory, "linux-source.tar.xz");
  const member = "./usr/src/linux-source-6.12.tar.xz";
  await execFileAsync("sh", [
    "-c",
    `dpkg-deb --fsys-tarfile "$1" | tar -xO ${member} > "$2"`,
    "sh",
    deb,
    path,
  ]);
  return path;
}

/** A tarball with a small part of the real tree: enough to be known as one, quick to unpack. */
export async function smallTarball(directory: string, name: string): Promise<string> {
  const tree = await realTree();
  const parts = ["Makefile", "Kbuild", "Kconfig", "scripts/Kbuild.include", "init/Kconfig"];
  const path = join(directory, `${name}.tar.xz`);
  await execFileAsync("tar", ["-cJf", path, "-C", tree, `--transform=s,^,${name}/,`, ...parts]);
  return path;
}

/** The names in a directory, none when it is missing. */
export async function names(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

/** The small part of the real tree, unpacked. */
export async function smallTree(directory: string): Promise<string> {
  const tarball = await smallTarball(await scratchDirectory(), "linux");
  await mkdir(directory, { recursive: true });
  await execFileAsync("tar", ["-xf", tarball, "--strip-components=1", "-C", directory]);
  return directory;
}

/** Runs git as somebody, and returns what it printed. */
export async function git(directory: string, ...args: string[]): Promise<string> {
  const who = [
    "-c",
    "user.name=Somebody",
    "-c",
    "user.email=somebody@example.org",
    "-c",
    "init.defaultBranch=main",
  ];
  const { stdout } = await execFileAsync("git", ["-C", directory, ...who, ...args]);
  return stdout.trim();
}

/** A digest of all that is in a directory: names, modes, contents, link targets. */
export async function digestOf(directory: string): Promise<string> {
  const script = `cd "$1" && find . -printf '%p %y %m %l\\n' -type f -exec sha256sum {} + | sort | sha256sum`;
  return (await execFileAsync("sh", ["-c", script, "sh", directory])).stdout;
}
