import { basename, join } from "node:path";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { resolveSource } from "../source.ts";
import type { KernelSource, ResolvedSource } from "../source.ts";
import { aptDownloadCommand, aptPackage } from "./apt.ts";
import { isDirectory } from "./git.ts";
import { gitStore } from "./git-store.ts";
import { formatCommand } from "./process.ts";

/** The commands that fetch a source. A remote repository is not asked: its tree's id is not known before. */
export async function fetchCommands(wanted: KernelSource, context: KernelContext): Promise<string[]> {
  if (wanted.kind !== "git" || (await isDirectory(wanted.url))) {
    return sourceCommands(await resolveSource(wanted, context), wanted, context);
  }
  const ref = wanted.ref ?? "HEAD";
  const store = gitStore(wanted.url, context).directory;
  const target = join(kernelCacheDir(context), "sources", "tree-ID");
  return [
    formatCommand({ file: "git", args: ["init", "-q", "--bare", store] }),
    formatCommand({ file: "git", args: ["-C", store, "fetch", "--depth=1", "--no-tags", wanted.url, ref] }),
    ...checkOutCommands(store, "FETCH_HEAD", target),
    ...patchCommands(target, wanted.patches),
  ];
}

/** The external commands that bring the tree of a source that is known, in order, as one could type them. */
export async function sourceCommands(
  source: ResolvedSource,
  wanted: KernelSource,
  context: KernelContext,
): Promise<string[]> {
  if (source.unpack === undefined) return [];
  const patched = (wanted.patches ?? []).length > 0;
  // The tree of a user's that is patched is the beginning; that of all others is fetched.
  const base = patched ? await resolveSource({ ...wanted, patches: [] }, context) : source;
  const { kind, origin, commit = "" } = base.provenance;
  const commands: string[] = [];
  if (kind === "debian") commands.push(...(await debianCommands(base, context)));
  else if (kind === "git") {
    const from = wanted.kind === "git" && (await isDirectory(wanted.url)) ? wanted.url : undefined;
    const store = from ?? gitStore(origin.split(" ", 1)[0] ?? "", context).directory;
    commands.push(...checkOutCommands(store, commit, base.tree));
  } else if (base.unpack !== undefined) {
    const remote = /^https?:/.test(origin);
    const file = remote ? join(kernelCacheDir(context), "downloads", basename(origin)) : origin;
    if (remote) commands.push(formatCommand({ file: "curl", args: ["-L", "-C", "-", "-o", file, origin] }));
    commands.push(formatCommand({ file: "mkdir", args: ["-p", base.tree] }));
    const args = ["-xf", file, "--strip-components=1", "-C", base.tree];
    commands.push(formatCommand({ file: "tar", args }));
  }
  if (!patched) return commands;
  const how = base.unpack === undefined ? "--reflink=auto" : "--link";
  commands.push(formatCommand({ file: "cp", args: ["-a", how, base.tree, source.tree] }));
  return [...commands, ...patchCommands(source.tree, wanted.patches)];
}

async function debianCommands(source: ResolvedSource, context: KernelContext): Promise<string[]> {
  const [name = "", version = ""] = source.provenance.origin.split(" ");
  const offered = await aptPackage(name, context);
  const tarball = `./usr/src/${name}.tar.xz`;
  const downloads = join(kernelCacheDir(context), "downloads");
  return [
    ...(offered === undefined ? [] : [formatCommand(aptDownloadCommand({ ...offered, version }, downloads))]),
    `dpkg-deb --fsys-tarfile ${name}_${version}.deb | tar -xO ${tarball} | tar -xJ --strip-components=1 -C ${source.tree}`,
  ];
}

function checkOutCommands(repository: string, commit: string, target: string): string[] {
  const archive = formatCommand({ file: "git", args: ["-C", repository, "archive", commit] });
  return [
    formatCommand({ file: "mkdir", args: ["-p", target] }),
    `${archive} | ${formatCommand({ file: "tar", args: ["-x", "-C", target] })}`,
  ];
}

function patchCommands(tree: string, patches: readonly string[] = []): string[] {
  return patches.map((path) => formatCommand({ file: "git", args: ["-C", tree, "apply", path] }));
}
