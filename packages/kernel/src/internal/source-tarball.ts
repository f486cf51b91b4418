import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import type { ResolvedSource } from "../source.ts";
import { download, fetchText, sha256File } from "./download.ts";
import { readJson, writeJson } from "./store.ts";
import { unpackTarball } from "./unpack.ts";

const KERNEL_ORG = "https://cdn.kernel.org/pub/linux/kernel";

/** A kernel.org release: vN.x/linux-VERSION.tar.xz, its checksum in sha256sums.asc beside it. */
export async function kernelOrgSource(
  version: string,
  mirror: string | undefined,
  context: KernelContext,
): Promise<ResolvedSource> {
  const major = /^(\d+)\.\d+(?:\.\d+)?$/.exec(version)?.[1];
  if (major === undefined) {
    throw new KernelError("KERNEL_SOURCE", `"${version}" is no kernel release; one looks like "6.12.57"`);
  }
  const base = `${(mirror ?? KERNEL_ORG).replace(/\/+$/, "")}/v${major}.x`;
  const file = `linux-${version}.tar.xz`;
  const cache = kernelCacheDir(context);
  const pointer = join(cache, "sources", `kernel.org-${version}-${shortHash(base)}.json`);
  let sha256 = (await readJson<{ readonly sha256: string }>(pointer))?.sha256;
  if (sha256 === undefined) {
    const sums = await fetchText(`${base}/sha256sums.asc`, context);
    sha256 = new RegExp(`^([0-9a-f]{64}) [ *]${file.replaceAll(".", "\\.")}$`, "m").exec(sums)?.[1];
    if (sha256 === undefined) {
      throw new KernelError("KERNEL_SOURCE", `"${base}/sha256sums.asc" has no checksum for "${file}"`, {
        hint: `Is there a release ${version}?`,
      });
    }
    await writeJson(pointer, { sha256 });
  }
  const sum = sha256;
  const id = tarballId(`linux-${version}`, sum);
  return {
    id,
    provenance: { kind: "kernel.org", origin: `${base}/${file}`, sha256: sum },
    tree: join(cache, "sources", id),
    unpack: async (directory, unpackContext) => {
      const path = join(cache, "downloads", `linux-${version}-${sum.slice(0, 16)}.tar.xz`);
      if ((await stat(path).catch(() => undefined)) === undefined) {
        await download(`${base}/${file}`, path, sum, unpackContext);
      }
      await unpackTarball(path, directory, unpackContext);
    },
  };
}

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
  const id = tarballId(basename(path).replace(/\.tar(\.\w+)?$|\.tgz$/, ""), sha256);
  return {
    id,
    provenance: { kind: "tarball", origin: path, sha256 },
    tree: join(cache, "sources", id),
    unpack: (directory, unpackContext) => unpackTarball(path, directory, unpackContext),
  };
}

function tarballId(name: string, sha256: string): string {
  return `${name.replaceAll(/[^\w.+~-]/g, "-")}-${sha256.slice(0, 16)}`;
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
