import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { GOOD_FOR, keptText } from "./kept-text.ts";
import { notice } from "./notice.ts";
import { nearest } from "./nearest.ts";
import { checkSignature } from "./signature.ts";

const KERNEL_ORG = "https://cdn.kernel.org/pub/linux/kernel";
const RELEASES = "https://www.kernel.org/releases.json";

/** Where releases come from, and who must have signed their sums. */
export interface KernelOrg {
  readonly mirror?: string | undefined;
  readonly keyring?: string | undefined;
}

/** The published sums of a directory of releases, by version. */
export interface PublishedSums {
  /** The directory's URL. */
  readonly base: string;
  readonly sums: ReadonlyMap<string, string>;
  /** Those of the patches from X.Y to X.Y.Z, by X.Y.Z. */
  readonly patches: ReadonlyMap<string, string>;
  readonly signature: string;
}

type Asking = KernelContext & { readonly refresh?: boolean | undefined };

/** What releases.json has, as far as it is used here. */
interface Releases {
  readonly latest_stable: { readonly version: string };
  readonly releases: readonly { readonly moniker: string; readonly version: string }[];
}

/**
 * The version that a word means now: `stable`, `mainline` and `latest-lts` by kernel.org's releases.json, `6.12.y` by
 * the signed sums, which have series that have ended as well. Answers are kept for twelve hours, or until `refresh`.
 */
export async function resolveVersion(word: string, from: KernelOrg, context: Asking): Promise<string> {
  if (/^\d+\.\d+(\.\d+|-rc\d+)?$/.test(word)) return word;
  const series = /^(\d+\.\d+)\.y$/.exec(word)?.[1];
  if (series !== undefined) return newestOf(series, from, context);
  if (!["stable", "mainline", "latest-lts"].includes(word)) {
    const near = nearest(word, ["stable", "mainline", "latest-lts"]);
    throw new KernelError("KERNEL_SOURCE", `"${word}" is no kernel release`, {
      hint:
        near === undefined
          ? 'One looks like "6.12.57", "6.12.y" (the newest of a series), "6.18-rc4", "stable", "latest-lts" or "mainline"'
          : `Did you mean "${near}"?`,
    });
  }
  const { latest_stable: stable, releases } = await readReleases(from, context);
  if (word === "stable") return stable.version;
  const moniker = word === "mainline" ? "mainline" : "longterm";
  const versions = releases.filter((release) => release.moniker === moniker).map(({ version }) => version);
  const newest = versions.sort(byVersion).at(-1);
  if (newest === undefined) throw new KernelError("KERNEL_SOURCE", `releases.json names no "${word}" now`);
  return newest;
}

/** The published sums where a version is. */
export async function publishedSums(
  version: string,
  from: KernelOrg,
  context: KernelContext,
  maxAge: number,
): Promise<PublishedSums> {
  const base = `${mirrorOf(from)}/v${version.split(".", 1)[0]}.x`;
  const url = `${base}/sha256sums.asc`;
  const path = join(kernelCacheDir(context), "releases", `${shortHash(base)}.sha256sums.asc`);
  const raw = await keptText(url, path, maxAge, context);
  const { text, signature } = await checkSignature(url, raw, from.keyring, context).catch(
    async (error: unknown) => {
      // What is not trusted is not kept, so that the next try asks again.
      const bad = error instanceof KernelError && error.code === "KERNEL_CHECKSUM";
      if (bad && context.offline !== true) await rm(path, { force: true });
      throw error;
    },
  );
  const files = [...text.matchAll(/^([0-9a-f]{64}) [ *](linux|patch)-(\d+(?:\.\d+)+)(?:\.tar)?\.xz$/gm)];
  const sumsOf = (wanted: string): ReadonlyMap<string, string> =>
    new Map(files.flatMap(([, sum = "", kind, name = ""]) => (kind === wanted ? [[name, sum]] : [])));
  return { base, sums: sumsOf("linux"), patches: sumsOf("patch"), signature };
}

async function newestOf(series: string, from: KernelOrg, context: Asking): Promise<string> {
  const maxAge = context.refresh === true ? 0 : GOOD_FOR;
  const { base, sums } = await publishedSums(series, from, context, maxAge);
  const versions = [...sums.keys()].filter(
    (version) => version === series || version.startsWith(`${series}.`),
  );
  const newest = versions.sort(byVersion).at(-1);
  if (newest !== undefined) return newest;
  const all = new Set([...sums.keys()].map((version) => version.split(".").slice(0, 2).join(".")));
  const near = nearest(series, all);
  throw new KernelError(
    "KERNEL_SOURCE",
    `"${base}/sha256sums.asc" has no release of the series "${series}"`,
    {
      hint: near === undefined ? undefined : `Did you mean "${near}.y"?`,
    },
  );
}

// A mirror of one's own can have releases.json at its top; public mirrors of the releases lack it.
async function readReleases(from: KernelOrg, context: Asking): Promise<Releases> {
  const maxAge = context.refresh === true ? 0 : GOOD_FOR;
  const keep = (url: string): Promise<string> =>
    keptText(url, join(kernelCacheDir(context), "releases", `${shortHash(url)}.json`), maxAge, context);
  const own = `${mirrorOf(from)}/releases.json`;
  const text =
    from.mirror === undefined
      ? await keep(RELEASES)
      : await keep(own).catch((error: unknown) => {
          const missing = error instanceof KernelError && error.message.endsWith("404");
          if (!missing && context.offline !== true) throw error;
          if (missing) notice(`"${own}" is not there; "${RELEASES}" is asked`, context);
          return keep(RELEASES);
        });
  try {
    return JSON.parse(text) as Releases;
  } catch (error) {
    throw new KernelError("KERNEL_SOURCE", "The releases.json that was fetched is damaged", {
      cause: error,
      hint: "Ask again with the refresh option",
    });
  }
}

function mirrorOf({ mirror }: KernelOrg): string {
  return (mirror ?? KERNEL_ORG).replace(/\/+$/, "");
}

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** A name for something long in the cache. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
