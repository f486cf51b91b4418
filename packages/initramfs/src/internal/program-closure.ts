import type { DlopenPriority, ElfSummary } from "@justenough/elf";

import { InitramfsError } from "../error.ts";
import { type Arch, ARCHES, type ArchFacts } from "../arch.ts";
import type { ClosureFile, ClosureProblem, ProgramClosure } from "./closure-file.ts";
import { type ElfFiles, elfFiles } from "./elf-files.ts";
import { findProgram } from "./find-program.ts";
import { type LoadedObject, type SearchContext, searchLibrary } from "./library-search.ts";
import { describeLoader, type Loader } from "./loader.ts";
import { basename } from "./paths.ts";
import { parseShebang, SHEBANG_BYTES } from "./shebang.ts";
import { type FileView, type Resolved, resolveFile } from "./view.ts";

export interface ResolverOptions {
  /** The machine that programs must be for; default: each its own. */
  readonly arch?: Arch | undefined;
  readonly searchPath?: readonly string[] | undefined;
  /** Which of the libraries that are opened at run time must be there. */
  readonly dlopen: readonly DlopenPriority[];
}

/** Scripts may be run by scripts; the kernel follows so many levels (exec_binprm() of fs/exec.c). */
const MAX_SCRIPT_DEPTH = 5;

/** musl's own names for itself, which never lead to a file (load_library() of ldso/dynlink.c). */
const MUSL_OWN = /^lib(?:c|pthread|rt|m|dl|util|xnet)\./;

interface State {
  readonly view: FileView;
  readonly elfs: ElfFiles;
  readonly loaders: Map<string, Loader>;
  readonly options: ResolverOptions;
  readonly files: ClosureFile[];
  readonly problems: ClosureProblem[];
}

/** Makes a search over one view that remembers what it has read. Nothing is ever executed. */
export function createResolver(view: FileView, options: ResolverOptions): (path: string) => ProgramClosure {
  const elfs = elfFiles(view);
  const loaders = new Map<string, Loader>();
  return (path) => {
    const state: State = { view, elfs, loaders, options, files: [], problems: [] };
    try {
      closeProgram(state, { path, role: "program" }, 0);
    } catch (error) {
      // Of a file that it comes upon; whoever searches an image is to be told of the others, too.
      if (!(error instanceof InitramfsError) || error.code !== "INITRAMFS_FORMAT") throw error;
      problem(state, { path }, "damaged", error.message, "Copy it again from where it came");
    }
    return { files: state.files, problems: state.problems };
  };
}

type Wanted = Pick<ClosureFile, "path" | "role" | "neededBy">;

function closeProgram(state: State, wanted: Wanted, depth: number): void {
  const resolved = resolveFile(state.view, wanted.path);
  if (resolved === undefined) {
    const by = wanted.neededBy === undefined ? "" : `, the interpreter of "${wanted.neededBy}",`;
    problem(state, wanted, "interpreter", `"${wanted.path}"${by} does not exist`);
    return;
  }
  const elf = state.elfs.read(resolved.path, resolved.size);
  state.files.push({ ...wanted, resolved, soname: elf?.dynamic?.soname });
  if (elf === undefined) closeScript(state, wanted, resolved, depth);
  else closeElf(state, wanted, resolved, elf);
}

function closeScript(state: State, wanted: Wanted, resolved: Resolved, depth: number): void {
  const shebang = parseShebang(state.view.read(resolved.path, 0, SHEBANG_BYTES));
  if (shebang === undefined) {
    problem(state, wanted, "format", `"${wanted.path}" is neither an ELF program nor a script with "#!"`);
    return;
  }
  if (shebang.carriageReturn) {
    const message = `The first line of "${wanted.path}" ends in a carriage return, which the kernel takes as a part of the interpreter's name`;
    problem(state, wanted, "format", message, `Convert its line ends: sed -i 's/\\r$//' ${wanted.path}`);
    return;
  }
  if (depth >= MAX_SCRIPT_DEPTH) {
    problem(
      state,
      wanted,
      "interpreter",
      `"${wanted.path}" is a script run by a script run by a script, too often`,
    );
    return;
  }
  const names = [shebang.interpreter, shebang.envProgram].filter((name) => name !== undefined);
  for (const name of names) {
    try {
      const { searchPath } = state.options;
      const path = findProgram(state.view, name, { searchPath });
      closeProgram(state, { path, role: "interpreter", neededBy: wanted.path }, depth + 1);
    } catch (error) {
      if (!(error instanceof InitramfsError)) throw error;
      const message = `The script "${wanted.path}" needs "${name}": ${error.message}`;
      problem(state, wanted, "interpreter", message, error.hint);
    }
  }
}

function closeElf(state: State, wanted: Wanted, resolved: Resolved, elf: ElfSummary): void {
  const facts = factsOf(state, wanted, elf);
  const needsNothing = elf.interpreter === undefined && (elf.dynamic?.needed.length ?? 0) === 0;
  if (facts === undefined || (needsNothing && elf.dlopen.length === 0)) return;
  const program: LoadedObject = { path: wanted.path, resolved, elf };
  const loaderPath = elf.interpreter ?? facts.defaultLoader;
  const loaderFile = resolveFile(state.view, loaderPath);
  if (loaderFile === undefined) {
    const message = `"${wanted.path}" needs the dynamic loader "${loaderPath}", which does not exist`;
    problem(state, wanted, "loader", message, "Install the C library of the program's architecture");
    return;
  }
  const loaderElf = state.elfs.read(loaderFile.path, loaderFile.size);
  if (loaderElf?.machineCode !== elf.machineCode) {
    const message = `"${wanted.path}" is for ${elf.machine}, but its dynamic loader "${loaderPath}" is not`;
    problem(state, wanted, "loader", message);
    return;
  }
  const loader = loaderOf(state, loaderFile, facts);
  const loaderSoname = loaderElf.dynamic?.soname;
  let isNamed = false;
  const nameLoader = (by: string): void => {
    if (isNamed) return;
    isNamed = true;
    const role = "loader";
    state.files.push({ path: loaderPath, resolved: loaderFile, role, neededBy: by, soname: loaderSoname });
  };
  // A library is loaded by whoever loads its program, unless something in it asks for the loader itself.
  if (elf.interpreter !== undefined) nameLoader(wanted.path);
  if (loader.pathFile !== undefined) {
    const pathFile = resolveFile(state.view, loader.pathFile);
    if (pathFile !== undefined) {
      state.files.push({
        path: loader.pathFile,
        resolved: pathFile,
        role: "path-file",
        neededBy: loaderPath,
      });
    }
  }
  const context: SearchContext = {
    view: state.view,
    files: state.elfs,
    loader,
    program,
    platform: facts.platform,
  };
  // The loader is in memory under its soname and file name before anything else.
  const loaderNames = new Set([loaderSoname ?? basename(loaderPath), basename(loaderPath)]);
  loadAll(state, context, { names: loaderNames, file: loaderFile.path, asked: nameLoader });
}

interface LoaderNames {
  readonly names: ReadonlySet<string>;
  /** Its canonical path. */
  readonly file: string;
  /** An object needs it by one of its names. */
  asked(by: string): void;
}

/** Breadth first, each name once, as _dl_map_object_deps() of glibc's elf/dl-deps.c. */
function loadAll(state: State, context: SearchContext, loader: LoaderNames): void {
  const names = new Set(loader.names);
  const queue: LoadedObject[] = [context.program];
  const loaded = new Set([loader.file, context.program.resolved.path]);
  const load = (name: string, requester: LoadedObject, role: "library" | "dlopen"): string[] | undefined => {
    if (loader.names.has(name)) loader.asked(requester.path);
    if (names.has(name) || (context.loader.kind === "musl" && MUSL_OWN.test(name))) return undefined;
    const { found, looked } = searchLibrary(context, name, requester);
    if (found === undefined) return [...looked];
    names.add(name);
    const { elf, resolved, path, by: foundBy } = found;
    const soname = elf.dynamic?.soname;
    if (soname !== undefined) names.add(soname);
    // Two names of one file are one library, but both names must stay openable.
    state.files.push({ path, resolved, role, neededBy: requester.path, name, soname, foundBy });
    if (!loaded.has(resolved.path)) queue.push({ path, resolved, elf, requester });
    loaded.add(resolved.path);
    return undefined;
  };
  for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
    for (const name of object.elf.dynamic?.needed ?? []) {
      const looked = load(name, object, "library");
      if (looked !== undefined) missing(state, object, `the library "${name}"`, looked);
    }
    for (const { sonames, priority, feature } of object.elf.dlopen) {
      if (!state.options.dlopen.includes(priority)) continue;
      const attempts: string[] = [];
      const found = sonames.some((name) => {
        const looked = load(name, object, "dlopen");
        attempts.push(...(looked ?? []));
        return looked === undefined;
      });
      if (found || priority !== "required") continue;
      const what = `the library ${sonames.map((name) => `"${name}"`).join(" or ")}`;
      missing(
        state,
        object,
        `${what}${feature === undefined ? "" : ` (for ${feature}, at run time)`}`,
        attempts,
      );
    }
  }
}

function missing(state: State, object: LoadedObject, what: string, looked: readonly string[]): void {
  const chain: string[] = [];
  for (let at = object.requester; at !== undefined; at = at.requester) chain.push(`"${at.path}"`);
  const via = chain.length === 0 ? "" : ` (needed by ${chain.join(", needed by ")})`;
  const message = `"${object.path}"${via} needs ${what}, which was not found; looked at ${looked.join(", ") || "no path"}`;
  problem(
    state,
    object,
    "library",
    message,
    "Install the package that brings it, or name the file under files",
  );
}

function factsOf(state: State, wanted: Wanted, elf: ElfSummary): ArchFacts | undefined {
  const known = Object.entries(ARCHES) as [Arch, ArchFacts][];
  const own = known.find(([, facts]) => facts.elfMachine === elf.machineCode && facts.bits === elf.class);
  const expected = state.options.arch;
  if (own !== undefined && (expected === undefined || expected === own[0])) return own[1];
  const message = `"${wanted.path}" is a program for ${elf.machine} (${elf.class} bits), wanted ${expected ?? known.map(([arch]) => arch).join(", ")}`;
  problem(state, wanted, "architecture", message);
  return undefined;
}

function loaderOf(state: State, file: Resolved & { readonly size: number }, facts: ArchFacts): Loader {
  let loader = state.loaders.get(file.path);
  if (loader === undefined) {
    loader = describeLoader(state.view, file.path, file.size, facts);
    state.loaders.set(file.path, loader);
  }
  return loader;
}

function problem(
  state: State,
  { path }: { readonly path: string },
  kind: ClosureProblem["kind"],
  message: string,
  hint?: string,
): void {
  state.problems.push({ kind, message, path, ...(hint === undefined ? {} : { hint }) });
}
