import { resolve as resolveHost } from "node:path";

import { dlopenFrom, explainRole, throwProblems } from "./closure.ts";
import { checkAborted, type InitramfsContext } from "./context.ts";
import { InitramfsError } from "./error.ts";
import { compileInit } from "./init-program.ts";
import { encodeRecords } from "./init-records.ts";
import type { ClosureFile } from "./internal/closure-file.ts";
import { addFacets } from "./internal/collect-facets.ts";
import { addUserFiles } from "./internal/collect-files.ts";
import { findProgram } from "./internal/find-program.ts";
import { type FirmwareFile, readFirmware } from "./internal/firmware.ts";
import { type HostView, hostView, lookupHost, readHostRange } from "./internal/host-view.ts";
import { comparePaths, userImagePath } from "./internal/paths.ts";
import { createResolver } from "./internal/program-closure.ts";
import { programDirectory } from "./internal/program-directory.ts";
import { addFilledUsrMerge, addUsrMerge } from "./internal/usr-merge.ts";
import { proveClosures } from "./internal/prove.ts";
import { addLinks, addSysrootFile } from "./internal/sysroot-file.ts";
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
  const own = collectPrograms(tree, view, spec, context);
  checkAborted(context.signal);
  addUserFiles(tree, view, spec);
  const facets = addFacets(tree, view, spec, resolverFor(view, spec));
  await collectModulesAndInit(tree, view, spec, context);
  if (spec.init.kind !== "layer") {
    addFilledUsrMerge(tree, view);
    addDefaults(tree);
  }
  const programs = [...own.programs, ...facets.objects];
  proveClosures(tree, spec, programs, [...own.libraries, ...facets.files.filter(isLibrary)]);
  return tree;
}

interface PlacedProgram {
  readonly path: string;
  readonly target: string | undefined;
  readonly name: string;
  /** Of a directory: what it lacks an interpreter for may never be run. */
  readonly isPart: boolean;
}

interface PlacedPrograms {
  readonly programs: readonly PlacedProgram[];
  /** What else is in directories that are taken whole. */
  readonly others: readonly PlacedProgram[];
}

/** The programs by their paths in the sysroot, in an order that does not depend on the list's. */
function placePrograms(view: HostView, spec: ContentSpec): PlacedPrograms {
  const { searchPath } = spec;
  const hostPaths = view.sysroot === "/";
  const programs: PlacedProgram[] = [];
  const others: PlacedProgram[] = [];
  for (const { source, target: given } of spec.programs) {
    const target = given === undefined ? undefined : userImagePath(given, "program's target");
    const directory = programDirectory(
      view,
      hostPaths && source.includes("/") ? resolveHost(source) : source,
    );
    if (directory === undefined) {
      const path = findProgram(view, source, { searchPath, hostPaths });
      programs.push({ path, target, name: source, isPart: false });
      continue;
    }
    const place = (path: string): PlacedProgram => {
      const moved = target === undefined ? undefined : target + path.slice(directory.path.length);
      return { path, target: moved, name: source, isPart: true };
    };
    programs.push(...directory.objects.map(place));
    others.push(...directory.others.map(place));
  }
  if (spec.init.kind === "file") {
    const path = findProgram(view, spec.init.source, { searchPath, hostPaths });
    programs.push({ path, target: "/init", name: spec.init.source, isPart: false });
  }
  const key = (program: PlacedProgram): string => `${program.target ?? program.path}\0${program.path}`;
  return { programs: programs.sort((a, b) => comparePaths(key(a), key(b))), others };
}

/** Adds the programs; returns where they are in the image, and the libraries that were found for them. */
function collectPrograms(
  tree: FileTree,
  view: HostView,
  spec: ContentSpec,
  context: InitramfsContext,
): { readonly programs: readonly string[]; readonly libraries: readonly ClosureFile[] } {
  const resolver = resolverFor(view, spec);
  const { programs, others } = placePrograms(view, spec);
  const found: { file: ClosureFile; program: PlacedProgram }[] = [];
  const proven: string[] = [];
  for (const [index, program] of programs.entries()) {
    const { files, problems } = resolver(program.path);
    const isOptional = program.isPart && problems.every(({ kind }) => kind === "interpreter");
    if (!isOptional) throwProblems(problems);
    if (problems.length === 0) proven.push(program.target ?? program.path);
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
    addSysrootFile(tree, view, path, file.resolved, why, hidden);
  }
  for (const { path, target = path, name } of others) {
    const node = view.lookup(path);
    const why = `part of the directory ${name}`;
    addUsrMerge(tree, view, target);
    if (node?.kind === "link") tree.add(target, { kind: "link", to: node.to, why });
    else if (node !== undefined) addSysrootFile(tree, view, target, { path, node, links: [] }, why, hidden);
  }
  return { programs: proven, libraries: found.map(({ file }) => file).filter(isLibrary) };
}

function resolverFor(view: HostView, spec: ContentSpec): ReturnType<typeof createResolver> {
  const { arch, searchPath } = spec;
  return createResolver(view, { arch, searchPath, dlopen: dlopenFrom(spec.dlopen) });
}

function isLibrary({ role }: ClosureFile): boolean {
  return role === "library" || role === "dlopen";
}

async function collectModulesAndInit(
  tree: FileTree,
  view: HostView,
  spec: ContentSpec,
  context: InitramfsContext,
): Promise<void> {
  if (spec.firmware !== undefined && spec.firmware.length > 0) {
    addUsrMerge(tree, view, "/lib");
    addFirmware(tree, readFirmware(view, "", spec.firmware));
  }
  const modulePaths: string[] = [];
  if (spec.modules !== undefined && spec.modules.names.length > 0) {
    const directory = resolveHost(spec.modules.directory);
    const request = { sysroot: spec.sysroot, ...spec.modules, directory };
    const { release, modules, firmware } = await readModules(request, context.signal);
    addUsrMerge(tree, view, "/lib");
    for (const module of modules) {
      const path = `/lib/modules/${release}/${module.target}`;
      const content = { kind: "bytes", bytes: module.bytes } as const;
      tree.add(path, { kind: "file", mode: 0o644, content, why: module.why });
      if (module.load) modulePaths.push(path);
    }
    addFirmware(tree, firmware);
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

function addFirmware(tree: FileTree, files: readonly FirmwareFile[]): void {
  // Links first: the files' own paths may lead through them.
  for (const file of files) {
    if (file.kind === "link") tree.add(file.path, { kind: "link", to: file.to, why: file.why });
  }
  for (const { path, why, ...file } of files) {
    if (file.kind !== "file") continue;
    tree.add(path, { kind: "file", mode: 0o644, content: { kind: "bytes", bytes: file.bytes }, why });
  }
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
