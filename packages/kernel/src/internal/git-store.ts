import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { git, gitCommand, gitError, gitOrThrow, progress } from "./git.ts";
import type { GitPlace } from "./git.ts";
import { shortHash } from "./kernel-org.ts";
import { withLock } from "./lock.ts";
import { waitsFor } from "./notice.ts";

/** The objects of a remote repository in the cache: one bare repository a URL, shared by all refs. */
export interface GitStore {
  readonly url: string;
  readonly directory: string;
}

export function gitStore(url: string, context: KernelContext): GitStore {
  const name = basename(url.replace(/\/+$/, ""))
    .replace(/\.git$/, "")
    .replaceAll(/[^\w.+~-]/g, "-");
  return { url, directory: join(kernelCacheDir(context), "git", `${name}-${shortHash(url)}.git`) };
}

/** A remote ref: its full name and the commit, or the tag's, that it points at. */
export interface RemoteRef {
  readonly name: string;
  readonly commit: string;
}

/** Asks the remote for a ref, in git's own order: the full name, tags, branches (gitrevisions(7)). */
export async function askRef(
  url: string,
  ref: string,
  context: KernelContext,
): Promise<RemoteRef | undefined> {
  const full = [ref, `refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`];
  const found = await listRefs(url, [...full, `refs/tags/${ref}^{}`], context);
  for (const name of full) {
    const commit = found.get(`${name}^{}`) ?? found.get(name);
    if (commit !== undefined) return { name, commit };
  }
  return undefined;
}

/** The refs of a remote, all or those of some patterns; a tag's commit is under `NAME^{}`. */
export async function listRefs(
  url: string,
  patterns: readonly string[],
  context: KernelContext,
): Promise<ReadonlyMap<string, string>> {
  if (context.offline === true) {
    throw new KernelError(
      "KERNEL_DOWNLOAD",
      `"${url}" would have to be asked, and the network is not to be used`,
      {
        hint: "Run it once without the offline option, or name a local clone",
      },
    );
  }
  const said = await gitOrThrow(`ask "${url}"`, {}, ["ls-remote", "--", url, ...patterns], context);
  const refs = new Map<string, string>();
  for (const [, commit = "", name = ""] of said.matchAll(/^([0-9a-f]{40,64})\t(.+)$/gm))
    refs.set(name, commit);
  return refs;
}

/** The tree of a commit that the store has. */
export async function storedTree(
  store: GitStore,
  commit: string,
  context: KernelContext,
): Promise<string | undefined> {
  if ((await stat(join(store.directory, "HEAD")).catch(() => undefined)) === undefined) return undefined;
  // The ref is written after all objects have come: without it they may be missing in part.
  const args = ["rev-parse", "--verify", "--quiet", `refs/justenough/${commit}^{tree}`];
  const found = await git({ directory: store.directory }, args, context);
  return found.exitCode === 0 ? found.stdout.trim() : undefined;
}

/**
 * Fetches a commit into the store: alone where the server gives it so, with its history where it does not (dumb HTTP,
 * and old servers for a commit that no ref names). Returns the commit, which is another one when its ref moved.
 */
export async function fetchCommit(
  store: GitStore,
  wanted: { readonly name?: string | undefined; readonly commit: string },
  context: KernelContext,
): Promise<string> {
  const { directory, url } = store;
  const place: GitPlace = { directory, lock: `${directory}.flock` };
  const onWait = waitsFor(`from "${url}"`, context);
  return withLock(`${directory}.lock`, { signal: context.signal, onWait }, async () => {
    if ((await storedTree(store, wanted.commit, context)) !== undefined) return wanted.commit;
    await mkdir(directory, { recursive: true });
    // Waits until a git of a process that was killed has ended.
    await git(place, ["version"], context);
    await removeStaleFiles(directory);
    await gitOrThrow("make the object store", place, ["init", "-q", "--bare"], context);
    const source = wanted.name ?? wanted.commit;
    const target = "refs/justenough-new/fetched";
    const ways = [
      ["--depth=1", "--", url, `+${source}:${target}`],
      wanted.name === undefined
        ? ["--", url, "+refs/*:refs/justenough-new/all/*"]
        : ["--", url, `+${source}:${target}`],
    ];
    const onLine = progress("download", basename(url), context);
    for (const [index, way] of ways.entries()) {
      const args = ["fetch", "--progress", "--no-tags", "--no-write-fetch-head", ...way];
      const finished = await git(place, args, context, onLine);
      if (finished.exitCode === 0) break;
      if (finished.tail.some((line) => line.includes("not our ref"))) throw noCommit(url, wanted.commit);
      const error = gitError(`fetch "${source}" from "${url}"`, gitCommand(place, args), finished);
      if (index === ways.length - 1 || error.code === "KERNEL_DOWNLOAD") throw error;
    }
    const names = [`${target}^{commit}`, `${wanted.commit}^{commit}`];
    const found = names.map((name) => git(place, ["rev-parse", "--verify", "--quiet", name], context));
    const commit = (await Promise.all(found)).find(({ exitCode }) => exitCode === 0)?.stdout.trim();
    if (commit === undefined) throw noCommit(url, wanted.commit);
    await gitOrThrow("keep a commit", place, ["update-ref", `refs/justenough/${commit}`, commit], context);
    await git(place, ["update-ref", "-d", target], context);
    return commit;
  });
}

function noCommit(url: string, commit: string): KernelError {
  return new KernelError("KERNEL_SOURCE", `"${url}" has no commit ${commit}`);
}

// A git that was killed leaves lock files and halves of packs. Nobody else is at work: flock(1) was ours a moment ago,
// and withLock is.
async function removeStaleFiles(directory: string): Promise<void> {
  for (const name of await readdir(directory, { recursive: true })) {
    const stale = name.endsWith(".lock") || /(^|\/)tmp_(pack|idx|obj|rev)_[^/]*$/.test(name);
    if (stale) await rm(join(directory, name), { force: true });
  }
}
