import { rm } from "node:fs/promises";
import { join } from "node:path";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import type { ResolvedSource } from "../source.ts";
import { aptDownload, aptPackage } from "./apt.ts";
import { readJson, writeJson } from "./store.ts";
import { unpackDebianSource } from "./unpack.ts";

interface Pointer {
  readonly name: string;
  readonly version: string;
  readonly sha256?: string | undefined;
}

/** Debian's linux-source-SERIES; the version that was found first is kept until `refresh`. */
export async function debianSource(
  series: string,
  pointer: string,
  context: KernelContext & { readonly refresh?: boolean | undefined },
): Promise<ResolvedSource> {
  // Ubuntu's series have three numbers.
  if (!/^\d+\.\d+(\.\d+)?$/.test(series)) {
    throw new KernelError("KERNEL_SOURCE", `"${series}" is no kernel series; one looks like "6.12"`);
  }
  const name = `linux-source-${series}`;
  let known = context.refresh === true ? undefined : await readJson<Pointer>(pointer);
  if (known === undefined) {
    const offered = await aptPackage(name, context);
    if (offered === undefined) {
      throw new KernelError("KERNEL_SOURCE", `apt offers no package "${name}" here`, {
        hint: 'Add a suite that has it to the sources of apt, or use a source of the kind "kernel.org"',
      });
    }
    known = { name, version: offered.version, sha256: offered.sha256 };
    await writeJson(pointer, known);
  }
  const { version, sha256 } = known;
  const id = `${name}_${version.replaceAll(/[^\w.+~-]/g, "-")}`;
  return {
    id,
    provenance: { kind: "debian", origin: `${name} ${version}`, sha256 },
    tree: join(kernelCacheDir(context), "sources", id),
    unpack: async (directory, unpackContext) => {
      const offered = await aptPackage(name, unpackContext);
      const wanted = { name, version, size: 0, sha256, depends: [], aptOptions: [] };
      const exact = offered === undefined ? wanted : { ...offered, version };
      const deb = await aptDownload(exact, unpackContext).catch(async (error: unknown) => {
        // The archive has dropped the version of the note: forget it, so that the next try takes the new one.
        if (offered !== undefined && offered.version !== version) await rm(pointer, { force: true });
        throw error;
      });
      await unpackDebianSource(deb, directory, unpackContext);
    },
  };
}
