import { resolve as resolveHost } from "node:path";

import { dlopenFrom, explainRole, throwProblems } from "./closure.ts";
import { checkAborted, type InitramfsContext } from "./context.ts";
import { InitramfsError } from "./error.ts";
import { compileInit } from "./init-program.ts";
import { encodeRecords } from "./init-records.ts";
import type { ClosureFile } from "./internal/closure-file.ts";
import { addUserFiles } from "./internal/collect-files.ts";
import { findProgram } from "./internal/find-program.ts";
import { type HostView, hostView, lookupHost, readHostRange } from "./internal/host-view.ts";
import { copiedMode } from "./internal/modes.ts";
import { comparePaths, dirname, imagePath, join, userImagePath } from "./internal/paths.ts";
import { createResolver } from "./internal/program-closure.ts";
import { addFilledUsrMerge, addUsrMerge } from "./internal/usr-merge.ts";
import { proveClosures } from "./internal/prove.ts";
import type { Resolved } from "./internal/view.ts";
import { readModules } from "./kernel-modules.ts";
import { readLayers } from "./layers/read-layers.ts";
import { capabilityRecords } from "./layers/lost-attributes.ts";
import type { ContentSpec } from "./spec.ts";
import { FileTree } from "./tree.ts";

/**
 * Collects the files of an image: the layers, over them programs with all they need, the files named, modules, /init, and the few
 * nodes without which Linux does not start. Nothing is written, and nothing collected is executed. What the
 * programs need is then searched a second time, in the tree itself, as their loader will do in the guest.
 *
 * @throws {InitramfsError} for what is not there, for two different files at one path, for a library that would
 * not be found in the guest
 */
export async function collect(spec: ContentSpec, context: InitramfsContext = {}): Promise<FileTree> {
  const tree = new FileTree(await readLayers(spec, context));
  const view = hostView(spec.sysroot);
  const libraries = collectPrograms(tree, view, spec, context);
  checkAborted(context.signal);
  addUserFiles(tree, view, spec);
  await collectModulesAndInit(tree, view, spec, context);
  if (spec.init.kind !== "layer") {
    addFilledUsrMerge(tree, view);
    addDefaults(tree);
  }
  proveClosures(tree, spec, programPaths(view, spec), libraries);
  return tree;
}

interface PlacedProgram {
  readonly path: string;
  readonly target: string | undefined;
  readonly name: string;
}

/** The programs by their paths in the sysroot, in an order that does not depend on the list's. */
function placePrograms(view: HostView, spec: ContentSpec): PlacedProgram[] {
  const { searchPath } = spec;
  const hostPaths = view.sysroot === "/";
  const programs = spec.programs.map(({ source, target }) => ({
    path: findProgram(view, source, { searchPath, hostPaths }),
    target: target === undefined ? undefined : userImagePath(target, "program's target"),
    name: source,
  }));
  if (spec.init.kind === "file") {
    const path = findProgram(view, spec.init.source, { searchPath, hostPaths });
    programs.push({ path, target: "/init", name: spec.init.source });
  }
  const key = (program: PlacedProgram): string => `${program.target ?? program.path}\0${program.path}`;
  return programs.sort((a, b) => comparePaths(key(a), key(b)));
}

function programPaths(view: HostView, spec: ContentSpec): string[] {
  return placePrograms(view, spec).map(({ path, target }) => target ?? path);
}

/** Adds the programs and returns the libraries that were found for them. */
function collectPrograms(
  tree: FileTree,
  view: HostView,
  spec: ContentSpec,
  context: InitramfsContext,
): ClosureFile[] {
  const { arch, searchPath } = spec;
  const resolver = createResolver(view, { arch, searchPath, dlopen: dlopenFrom(spec.dlopen) });
  const programs = placePrograms(view, spec);
  const found: { file: ClosureFile; program: PlacedProgram }[] = [];
  for (const [index, program] of programs.entries()) {
    const { files, problems } = resolver(program.path);
    throwProblems(problems);
    for (const file of files) found.push({ file, program });
    const counts = { done: index + 1, total: programs.length, unit: "programs" } as const;
    context.onProgress?.({ phase: "collect", ...counts, message: program.name });
  }
  // Links first: a path given by the user lands where they lead.
  const hidden = new Map<string, string>();
  for (const { file, program } of found) {
    if (file.role !== "program" || program.target === undefined) {
      addLinks(tree, file.resolved, file.path, hidden);
    } else {
      addUsrMerge(tree, view, program.target);
    }
  }
  for (const { file, program } of found) {
    const path = file.role === "program" ? (program.target ?? file.resolved.path) : file.resolved.path;
    const why = explainRole(file, program.name);
    addSysrootFile(tree, view, path, file.resolved, why);
    for (const to of [path, ...file.resolved.links.map((link) => link.path)])
      addDetours(tree, to, why, hidden);
  }
  return found.map(({ file }) => file).filter(({ role }) => role === "library" || role === "dlopen");
}

/** Whether a layer has a directory of its own there, or a link to another one. */
function layerKeeps(tree: FileTree, { path, to }: { readonly path: string; readonly to: string }): boolean {
  const existing = tree.isFromLayer(path) ? tree.get(path) : undefined;
  if (existing?.kind !== "link") return existing?.kind === "directory";
  return existing.to !== to && tree.get(dirname(tree.place(join(path, "x"))))?.kind === "directory";
}

/**
 * A link such as `/lib -> usr/lib` cannot be where a layer has a directory of its own. `hidden` gets those: what is found
 * through them needs a link of its own in there.
 */
function addLinks(tree: FileTree, { links }: Resolved, path: string, hidden: Map<string, string>): void {
  for (const link of links) {
    if (layerKeeps(tree, link)) {
      hidden.set(link.path, imagePath(link.to.startsWith("/") ? link.to : join(dirname(link.path), link.to)));
    } else {
      tree.add(link.path, { kind: "link", to: link.to, why: `on the way to ${path}` });
    }
  }
}

/** Links to a path from the directories that took the place of links through which it is found. */
function addDetours(tree: FileTree, to: string, why: string, hidden: ReadonlyMap<string, string>): void {
  for (const [link, directory] of hidden) {
    const from = link + to.slice(directory.length);
    if (!to.startsWith(`${directory}/`) || tree.place(from) === tree.place(to)) continue;
    tree.add(from, { kind: "link", to, why });
  }
}

function addSysrootFile(tree: FileTree, view: HostView, path: string, file: Resolved, why: string): void {
  if (file.node.kind !== "file") return;
  const content = { kind: "host", path: view.hostPath(file.path), size: file.node.size } as const;
  tree.add(path, { kind: "file", mode: copiedMode(file.node.mode), content, why });
}

async function collectModulesAndInit(
  tree: FileTree,
  view: HostView,
  spec: ContentSpec,
  context: InitramfsContext,
): Promise<void> {
  const modulePaths: string[] = [];
  if (spec.modules !== undefined && spec.modules.names.length > 0) {
    const directory = resolveHost(spec.modules.directory);
    const { release, modules } = await readModules({ ...spec.modules, directory }, context.signal);
    addUsrMerge(tree, view, "/lib");
    for (const module of modules) {
      const path = `/lib/modules/${release}/${module.target}`;
      const content = { kind: "bytes", bytes: module.bytes } as const;
      tree.add(path, { kind: "file", mode: 0o644, content, why: module.why });
      modulePaths.push(path);
    }
  }
  if (spec.init.kind !== "generated") {
    if (spec.restoreCapabilities !== true) return;
    throw new InitramfsError(
      "INITRAMFS_INVALID_OPTION",
      "File capabilities are restored by the generated /init only",
    );
  }
  const { path } = await compileInit({ ...context, arch: spec.arch, compiler: spec.compiler });
  const node = lookupHost(path);
  if (node?.kind !== "file") {
    throw new InitramfsError("INITRAMFS_READ", `The compiled /init "${path}" has vanished from the cache`);
  }
  // Read now: someone may empty the cache before the image is written.
  const bytes = readHostRange(path, 0, node.size);
  tree.add("/init", { kind: "file", mode: 0o755, content: { kind: "bytes", bytes }, why: "generated /init" });
  const capabilities = spec.restoreCapabilities === true ? capabilityRecords(tree) : [];
  const records = encodeRecords(spec.init, { modules: modulePaths, capabilities });
  const content = { kind: "bytes", bytes: records } as const;
  tree.add("/etc/appliance/init", { kind: "file", mode: 0o644, content, why: "what /init is to do" });
}

/** Mount points, and the console that the kernel opens before /init could mount a /dev. */
function addDefaults(tree: FileTree): void {
  const why = "every Linux expects it";
  const absent = (path: string): boolean => tree.get(path) === undefined;
  for (const path of ["/dev", "/proc", "/sys", "/run", "/etc"]) {
    if (absent(path)) tree.add(path, { kind: "directory", mode: 0o755, why });
  }
  if (absent("/tmp")) tree.add("/tmp", { kind: "directory", mode: 0o1777, why });
  const device = { kind: "device", type: "character" } as const;
  // `docker export` leaves empty files where the container had its devices.
  const noDevice = (path: string): boolean =>
    absent(path) || (tree.isFromLayer(path) && tree.get(path)?.kind === "file");
  if (noDevice("/dev/console")) {
    tree.add("/dev/console", {
      ...device,
      mode: 0o600,
      major: 5,
      minor: 1,
      why: "the kernel opens it for /init",
    });
  }
  if (noDevice("/dev/null")) tree.add("/dev/null", { ...device, mode: 0o666, major: 1, minor: 3, why });
}
