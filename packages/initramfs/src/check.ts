import type { Diagnostic } from "./diagnostic.ts";
import { InitramfsError } from "./error.ts";
import { findProgram } from "./internal/find-program.ts";
import { findFirmware, moduleFirmware } from "./internal/firmware.ts";
import { createResolver } from "./internal/program-closure.ts";
import { parseShebang, SHEBANG_BYTES } from "./internal/shebang.ts";
import { type FileView, readText, resolve, resolveFile } from "./internal/view.ts";
import { lostAttributes } from "./layers/lost-attributes.ts";
import { contentSize, type FileTree, type TreeNode } from "./tree.ts";

/**
 * Tells before booting what would fail in the guest: /init absent or not executable, programs whose
 * interpreter, loader or libraries are not in the image, a program to be run that is not there; and what the
 * layers had that an image cannot hold. An `error` is something that the kernel would stop at; a `warning` concerns a file that may never be used.
 *
 * @example
 * ```ts
 * import { checkInitramfs, FileTree } from "@justenough/initramfs";
 * console.log(checkInitramfs(new FileTree())[0]?.message); // There is no /init in the image
 * ```
 */
export function checkInitramfs(tree: FileTree): Diagnostic[] {
  const view = tree.view();
  const resolver = createResolver(view, { dlopen: ["required"] });
  const entries = tree.entries();
  const diagnostics: Diagnostic[] = [
    ...checkInit(view, resolver),
    ...checkRecords(view),
    ...tree.layerDiagnostics,
    ...lostAttributes(
      entries,
      new Set(records(view, "capability").map((record) => record.slice(record.indexOf(":") + 1))),
    ),
  ];
  if (view.lookup("/dev/console") === undefined) {
    diagnostics.push({
      code: "no-console",
      severity: "warning",
      path: "/dev/console",
      message: "There is no /dev/console in the image, so the kernel starts /init without input and output",
      hint: "Add the character device 5:1",
    });
  }
  diagnostics.push(...checkModules(entries, view));
  for (const [path, node] of entries) {
    if (path === "/init" || node.kind !== "file" || (node.mode & 0o111) === 0) continue;
    for (const { kind, message, hint } of resolver(path).problems) {
      // Text files with a stray x bit are common; only what is meant to be executed can fail to be.
      if (kind === "format" && !isScript(view, path)) continue;
      diagnostics.push({ code: `unresolved-${kind}`, severity: "warning", path, message, hint });
    }
  }
  return diagnostics;
}

function checkInit(view: FileView, resolver: ReturnType<typeof createResolver>): Diagnostic[] {
  const at = { severity: "error", path: "/init" } as const;
  const init = resolve(view, "/init");
  if (init === undefined) {
    const hint =
      "The kernel would look for a root file system instead and panic (VFS: Unable to mount root fs)";
    return [{ ...at, code: "init-missing", message: "There is no /init in the image", hint }];
  }
  if (init.node.kind !== "file" || (init.node.mode & 0o111) === 0) {
    const hint = "The kernel would say: Failed to execute /init (error -13)";
    return [{ ...at, code: "init-not-executable", message: "/init in the image is not executable", hint }];
  }
  return resolver("/init").problems.map(({ kind, message, hint }) => {
    const code = `unresolved-${kind}`;
    return { severity: "error", path: "/init", code, message, hint };
  });
}

/** The generated /init's program, unless a job brings another. */
function checkRecords(view: FileView): Diagnostic[] {
  const [program] = records(view, "arg");
  const path = records(view, "env")
    .find((assignment) => assignment.startsWith("PATH="))
    ?.slice(5);
  if (program === undefined) return [];
  try {
    findProgram(view, program, { searchPath: path?.split(":").filter(Boolean) });
    return [];
  } catch (error) {
    if (!(error instanceof InitramfsError)) throw error;
    const message = `/init would not find the program to run: ${error.message}`;
    return [{ code: "program-missing", severity: "warning", path: program, message, hint: error.hint }];
  }
}

const MODULE = /^(?:\/usr)?\/lib\/modules\/([^/]+)\/(?:.*\/)?([^/]+)\.ko$/;

/** Drivers whose firmware is not at hand: they may need none for this very device, so this is only a note. */
function checkModules(
  entries: readonly (readonly [path: string, node: TreeNode])[],
  view: FileView,
): Diagnostic[] {
  return entries.flatMap(([path, node]): Diagnostic[] => {
    const [, release, module] = MODULE.exec(path) ?? [];
    if (release === undefined || module === undefined || node.kind !== "file") return [];
    const missing = moduleFirmware(module, view.read(path, 0, contentSize(node.content)))
      .map(({ file }) => file)
      .filter((file) => findFirmware(view, release, file).length === 0);
    const [first] = missing;
    if (first === undefined) return [];
    const more = missing.length === 1 ? "" : ` and ${missing.length - 1} more`;
    const message = `The module ${module} may load the firmware "${first}"${more}, not in the image`;
    const hint = "If the device needs it, install its package (firmware-…) and build the image again";
    return [{ code: "firmware-missing", severity: "note", path, message, hint }];
  });
}

/** The values of a key in what the generated /init is to do. */
function records(view: FileView, key: string): string[] {
  const all = readText(view, "/etc/appliance/init")?.split("\0") ?? [];
  return all.filter((record) => record.startsWith(`${key}=`)).map((record) => record.slice(key.length + 1));
}

function isScript(view: FileView, path: string): boolean {
  const file = resolveFile(view, path);
  return file !== undefined && parseShebang(view.read(file.path, 0, SHEBANG_BYTES)) !== undefined;
}
