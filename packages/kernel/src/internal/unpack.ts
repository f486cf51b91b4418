import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Transform } from "node:stream";
import type { Readable } from "node:stream";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { cleanEnv, runOrThrow } from "./process.ts";

/**
 * Unpacks a source tarball into an empty directory, without its first path component. tar refuses names that lead
 * out of the directory.
 */
export async function unpackTarball(path: string, directory: string, context: KernelContext): Promise<void> {
  const total = (await stat(path)).size;
  await unpackStream(createReadStream(path), { name: basename(path), total, directory }, context);
}

/** Unpacks the source tarball that a Debian linux-source package holds, straight from the package. */
export async function unpackDebianSource(
  deb: string,
  directory: string,
  context: KernelContext,
): Promise<void> {
  const what = `read the package "${basename(deb)}"`;
  const listing = await runOrThrow({ file: "dpkg-deb", args: ["-c", deb] }, { what, signal: context.signal });
  const entry = /^-\S+ +\S+ +(\d+) .* (\.\/usr\/src\/linux-source-\S+\.tar\.\w+)$/m.exec(listing.stdout);
  if (entry === null) {
    throw new KernelError("KERNEL_SOURCE", `The package "${basename(deb)}" holds no source tarball`);
  }
  const total = Number(entry[1]);
  const name = entry[2] ?? "";
  const env = cleanEnv();
  const outer = spawn("dpkg-deb", ["--fsys-tarfile", deb], { env, stdio: ["ignore", "pipe", "ignore"] });
  const inner = spawn("tar", ["-xO", name], { env, stdio: [outer.stdout, "pipe", "ignore"] });
  // What they have to say is that the outer tar's input ends early; that one reports it. A program that is missing
  // has been reported by the listing before.
  for (const child of [outer, inner]) child.on("error", () => {});
  try {
    await unpackStream(inner.stdout, { name: basename(name), total, directory }, context);
  } finally {
    outer.kill();
    inner.kill();
  }
}

/** Unpacks a whole Debian package, as `dpkg -x` does: no root, no scripts. */
export async function unpackPackage(deb: string, directory: string, context: KernelContext): Promise<void> {
  context.onProgress?.({ phase: "unpack", done: 0, unit: "bytes", message: basename(deb) });
  const command = { file: "dpkg-deb", args: ["-x", deb, directory] };
  await runOrThrow(command, { what: `unpack "${basename(deb)}"`, signal: context.signal });
}

async function unpackStream(
  source: Readable,
  archive: {
    readonly name: string;
    readonly total: number;
    readonly directory: string;
  },
  context: KernelContext,
): Promise<void> {
  let done = 0;
  let told = 0;
  const counter = new Transform({
    transform(chunk: Uint8Array, _encoding, callback) {
      done += chunk.length;
      if (done - told > 1_000_000 || done === archive.total) {
        told = done;
        const { total, name } = archive;
        context.onProgress?.({ phase: "unpack", done, total, unit: "bytes", message: name });
      }
      callback(null, chunk);
    },
  });
  source.on("error", (error) => counter.destroy(error));
  const flags = ["--strip-components=1", "--no-same-owner", "--no-same-permissions"];
  const command = {
    file: "tar",
    args: ["-x", ...decompressor(archive.name), ...flags, "-C", archive.directory],
  };
  await runOrThrow(command, {
    what: `unpack "${archive.name}"`,
    signal: context.signal,
    stdin: source.pipe(counter),
  }).finally(() => source.destroy());
}

function decompressor(name: string): string[] {
  if (name.endsWith(".xz")) return ["-J"];
  if (name.endsWith(".gz") || name.endsWith(".tgz")) return ["-z"];
  if (name.endsWith(".zst")) return ["--zstd"];
  if (name.endsWith(".bz2")) return ["-j"];
  if (name.endsWith(".tar")) return [];
  throw new KernelError("KERNEL_SOURCE", `"${name}" is no tarball that is known here`, {
    hint: "Its name must end in .tar, .tar.xz, .tar.gz, .tar.zst or .tar.bz2",
  });
}
