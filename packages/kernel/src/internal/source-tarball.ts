import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import type { ResolvedSource } from "../source.ts";
import { download, sha256File } from "./download.ts";
import { shortHash } from "./kernel-org.ts";
import { readJson, writeJson } from "./store.ts";
import { unpackTarball } from "./unpack.ts";

/** A tarball of this machine, known by the hash of its bytes. */
export async function tarballSource(
  given: string,
  expected: string | undefined,
  context: KernelContext,
): Promise<ResolvedSource> {
  const path = resolve(given);
  const facts = await stat(path).catch((error: unknown) => {
    throw new KernelError("KERNEL_SOURCE", `Cannot read the tarball "${given}"`, { cause: error });
  });
  const cache = kernelCacheDir(context);
  // Hashing 150 MB takes most of a second: size and time tell whether the file is the one that was hashed.
  const note = join(cache, "sources", `tarball-${shortHash(path)}.json`);
  const stamp = `${facts.size} ${facts.mtimeMs} ${facts.ino}`;
  const known = await readJson<{ readonly stamp: string; readonly sha256: string }>(note);
  const sha256 = known?.stamp === stamp ? known.sha256 : await sha256File(path, context.signal);
  if (known?.stamp !== stamp) await writeJson(note, { stamp, sha256 });
  if (expected !== undefined && expected.toLowerCase() !== sha256) {
    throw new KernelError(
      "KERNEL_CHECKSUM",
      `"${given}" has the sha256 ${sha256}, but ${expected} is wanted`,
    );
  }
  const id = tarballId(basename(path), sha256);
  return {
    id,
    provenance: { kind: "tarball", origin: path, sha256 },
    tree: join(cache, "sources", id),
    unpack: (directory, unpackContext) => unpackTarball(path, directory, unpackContext),
  };
}

/** A tarball of the network, whose sha256 is known beforehand: that is what names it, and no request is needed. */
export function remoteTarballSource(url: string, expected: string, context: KernelContext): ResolvedSource {
  const sha256 = expected.toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new KernelError("KERNEL_SOURCE", `"${expected}" is no sha256: it has 64 hexadecimal digits`, {
      hint: `Who publishes "${url}" tells it, or download the file by yourself and use sha256sum`,
    });
  }
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new KernelError(
      "KERNEL_SOURCE",
      `"${url}" is no URL of a tarball: it must begin with https:// or http://`,
    );
  }
  const name = basename(new URL(url).pathname);
  const id = tarballId(name, sha256);
  const cache = kernelCacheDir(context);
  return {
    id,
    provenance: { kind: "tarball", origin: url, sha256 },
    tree: join(cache, "sources", id),
    unpack: async (directory, unpackContext) => {
      const path = join(cache, "downloads", `${sha256.slice(0, 16)}-${name.replaceAll(/[^\w.+~-]/g, "-")}`);
      await download(url, path, sha256, unpackContext);
      await unpackTarball(path, directory, unpackContext);
    },
  };
}

/** The id of a tarball's content: readable, and as certain as 64 bits of its sha256 are. */
export function tarballId(file: string, sha256: string): string {
  const name = file.replace(/\.tar(\.\w+)?$|\.t(gz|xz|zst|bz2)$/, "");
  return `${name.replaceAll(/[^\w.+~-]/g, "-")}-${sha256.slice(0, 16)}`;
}
