import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Transform } from "node:stream";
import type { Readable } from "node:stream";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { decompressorByName, decompressorOf } from "./compression.ts";
import type { Decompressor } from "./compression.ts";
import { cleanEnv, formatCommand, runOrThrow } from "./process.ts";
import { unpackLayout } from "./tree.ts";

interface Archive {
  readonly name: string;
  readonly total: number;
  readonly decompressor: Decompressor | undefined;
  readonly directory: string;
}

/**
 * Unpacks a source tarball into an empty directory. tar refuses names that lead out of the directory.
 */
export async function unpackTarball(path: string, directory: string, context: KernelContext): Promise<void> {
  const total = (await stat(path)).size;
  const decompressor = await decompressorOf(path);
  const name = basename(path);
  const unpack = (inside: string): Promise<void> =>
    unpackStream(createReadStream(path), { name, total, decompressor, directory: inside }, context);
  await unpackLayout(directory, unpack).catch((error: unknown) => {
    if (!(error instanceof KernelError) || error.code !== "KERNEL_TOOL_FAILED") throw error;
    const list = { file: "tar", args: ["-tf", path] };
    throw new KernelError(error.code, error.message, {
      cause: error,
      hint: `The tarball is damaged, cut short or none. See for yourself: ${formatCommand(list)} >/dev/null`,
    });
  });
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
  const decompressor = decompressorByName(name);
  await unpackLayout(directory, async (inside) => {
    const env = cleanEnv();
    const outer = spawn("dpkg-deb", ["--fsys-tarfile", deb], { env, stdio: ["ignore", "pipe", "ignore"] });
    const inner = spawn("tar", ["-xO", name], { env, stdio: [outer.stdout, "pipe", "ignore"] });
    // What they have to say is that the outer tar's input ends early; that one reports it. A program that is missing
    // has been reported by the listing before.
    for (const child of [outer, inner]) child.on("error", () => {});
    try {
      await unpackStream(
        inner.stdout,
        { name: basename(name), total, decompressor, directory: inside },
        context,
      );
    } finally {
      outer.kill();
      inner.kill();
    }
  });
}

/** Unpacks a whole Debian package, as `dpkg -x` does: no root, no scripts. */
export async function unpackPackage(deb: string, directory: string, context: KernelContext): Promise<void> {
  context.onProgress?.({ phase: "unpack", done: 0, unit: "bytes", message: basename(deb) });
  const command = { file: "dpkg-deb", args: ["-x", deb, directory] };
  await runOrThrow(command, { what: `unpack "${basename(deb)}"`, signal: context.signal });
}

async function unpackStream(source: Readable, archive: Archive, context: KernelContext): Promise<void> {
  const { total, name, decompressor, directory } = archive;
  let done = 0;
  let told = 0;
  const counter = new Transform({
    transform(chunk: Uint8Array, _encoding, callback) {
      done += chunk.length;
      if (done - told > 1_000_000 || done === total) {
        told = done;
        context.onProgress?.({ phase: "unpack", done, total, unit: "bytes", message: name });
      }
      callback(null, chunk);
    },
  });
  source.on("error", (error) => counter.destroy(error));
  const how = decompressor === undefined ? [] : [decompressor.tarOption];
  const command = {
    file: "tar",
    args: ["-x", ...how, "--no-same-owner", "--no-same-permissions", "-C", directory],
  };
  await runOrThrow(command, {
    what: `unpack "${name}"`,
    signal: context.signal,
    stdin: source.pipe(counter),
  }).finally(() => source.destroy());
}
