import { join, resolve } from "node:path";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import type { ResolvedSource } from "../source.ts";
import { checkOut, git, gitError, gitCommand, isDirectory } from "./git.ts";
import { askRef, fetchCommit, gitStore, listRefs, storedTree } from "./git-store.ts";
import type { RemoteRef } from "./git-store.ts";
import { shortHash } from "./kernel-org.ts";
import { notice } from "./notice.ts";
import { nearest } from "./nearest.ts";
import { readJson, writeJson } from "./store.ts";

type Asking = KernelContext & { readonly refresh?: boolean | undefined };

/** A commit of a repository, known by the id of its tree: commits with the same files are the same source. */
export async function gitSource(from: string, ref: string, context: Asking): Promise<ResolvedSource> {
  if (ref === "" || ref.startsWith("-")) throw new KernelError("KERNEL_SOURCE", `"${ref}" is no ref of git`);
  if (await isDirectory(from)) return localSource(resolve(from), ref, context);
  if (!/^[\w+.-]+:\/\/|^[\w.@-]+:./.test(from)) {
    throw new KernelError("KERNEL_SOURCE", `"${from}" is neither a directory nor a URL of a git repository`);
  }
  return remoteSource(from, ref, context);
}

// Only read: neither fetched into nor checked out, whatever its working tree is at.
async function localSource(path: string, ref: string, context: Asking): Promise<ResolvedSource> {
  const where = { directory: path };
  const args = ["rev-parse", "--absolute-git-dir"];
  const repository = await git(where, args, context);
  if (repository.exitCode !== 0)
    throw gitError(`read the repository "${path}"`, gitCommand(where, args), repository);
  const parse = async (what: string): Promise<string | undefined> => {
    const found = await git(where, ["rev-parse", "--verify", "--quiet", `${ref}^{${what}}`], context);
    return found.exitCode === 0 ? found.stdout.trim() : undefined;
  };
  const commit = await parse("commit");
  const tree = await parse("tree");
  if (commit === undefined || tree === undefined) {
    const list = await git(where, ["for-each-ref", "--format=%(refname)"], context);
    throw unknownRef(ref, path, list.stdout.split("\n"));
  }
  return source(repository.stdout.trim(), `${path} ${ref}`, commit, tree, context);
}

async function remoteSource(url: string, ref: string, context: Asking): Promise<ResolvedSource> {
  const store = gitStore(url, context);
  const wanted = /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(ref)
    ? { commit: ref }
    : await remoteRef(url, ref, context);
  let { commit } = wanted;
  let tree = await storedTree(store, commit, context);
  if (tree === undefined) {
    if (context.offline === true) {
      throw new KernelError("KERNEL_DOWNLOAD", `The commit ${commit} of "${url}" is not in the cache`, {
        hint: "Run it once without the offline option",
      });
    }
    commit = await fetchCommit(store, wanted, context);
    tree = await storedTree(store, commit, context);
  }
  if (tree === undefined) throw new KernelError("KERNEL_SOURCE", `"${ref}" of "${url}" names no commit`);
  return source(store.directory, `${url} ${ref}`, commit, tree, context);
}

/** What a ref points at: a branch is asked for each time, a tag once. Without the network the last answer is used. */
async function remoteRef(url: string, ref: string, context: Asking): Promise<RemoteRef> {
  const path = join(kernelCacheDir(context), "git", `ref-${shortHash(`${url} ${ref}`)}.json`);
  const kept = await readJson<RemoteRef>(path);
  const fixed = kept?.name.startsWith("refs/tags/") === true && context.refresh !== true;
  if (kept !== undefined && (fixed || context.offline === true)) return kept;
  const asked = await askRef(url, ref, context).catch((error: unknown) => {
    if (kept === undefined || !(error instanceof KernelError) || error.code !== "KERNEL_DOWNLOAD")
      throw error;
    notice(`${error.message}; what "${ref}" was earlier is used`, context);
    return kept;
  });
  if (asked === undefined) throw unknownRef(ref, url, [...(await listRefs(url, [], context)).keys()]);
  await writeJson(path, asked);
  return asked;
}

function source(
  repository: string,
  origin: string,
  commit: string,
  tree: string,
  context: KernelContext,
): ResolvedSource {
  const id = `tree-${tree}`;
  return {
    id,
    provenance: { kind: "git", origin, commit },
    tree: join(kernelCacheDir(context), "sources", id),
    unpack: (directory, unpackContext) => checkOut(repository, tree, directory, unpackContext),
  };
}

function unknownRef(ref: string, where: string, names: readonly string[]): KernelError {
  const short = names
    .map((name) => name.replace(/^refs\/(heads|tags|remotes)\//, ""))
    .filter((name) => !name.endsWith("^{}"));
  const near = nearest(ref, short);
  const remote = /[~^:@]|^[0-9a-f]{7,39}$/.test(ref)
    ? "A remote repository is asked for branches, tags and whole commit ids; a local clone knows the rest"
    : undefined;
  return new KernelError("KERNEL_SOURCE", `"${where}" has no ref "${ref}"`, {
    hint: near === undefined ? remote : `Did you mean "${near}"?`,
  });
}
