import { ElfError } from "@justenough/elf";

import type { Arch } from "../arch.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { InitramfsError } from "../error.ts";
import { filesBelow } from "./walk.ts";
import type { ClosureProblem } from "./closure-file.ts";
import { findProgram } from "./find-program.ts";
import { findFirmware, moduleFirmware } from "./firmware.ts";
import { initRecords } from "./init-record-file.ts";
import { createResolver } from "./program-closure.ts";
import { parseShebang, SHEBANG_BYTES } from "./shebang.ts";
import { type FileView, resolve, resolveFile } from "./view.ts";

/** What would fail in a root file system that the kernel has unpacked, whoever made it. */
export function checkRoot(view: FileView, arch?: Arch): Diagnostic[] {
  const resolver = createResolver(view, { arch, dlopen: ["required"] });
  const diagnostics: Diagnostic[] = [...checkInit(view, resolver), ...checkRecords(view)];
  if (view.lookup("/dev/console") === undefined) {
    diagnostics.push({
      code: "no-console",
      severity: "warning",
      path: "/dev/console",
      message: "There is no /dev/console in the image, so the kernel starts /init without input and output",
      hint: "Add the character device 5:1",
    });
  }
  const paths = [...filesBelow(view, "/")];
  diagnostics.push(...checkModules(view, paths));
  for (const path of paths) {
    const node = view.lookup(path);
    if (node?.kind !== "file" || path === "/init" || (node.mode & 0o111) === 0) continue;
    for (const { kind, message, hint } of resolver(path).problems) {
      // Text files with a stray x bit are common; only what is meant to be executed can fail to be.
      if (kind === "format" && !isScript(view, path)) continue;
      const mend = hint ?? MEND[kind];
      diagnostics.push({ code: `unresolved-${kind}`, severity: "warning", path, message, hint: mend });
    }
  }
  return diagnostics;
}

const MEND: Partial<Record<ClosureProblem["kind"], string>> = {
  interpreter: "Put it into the image, with initramfs add ARCHIVE --program PROGRAM",
  library: "Put it into the image, with initramfs add ARCHIVE --program LIBRARY",
  loader: "Put it into the image with the program, by initramfs add ARCHIVE --program PROGRAM",
  architecture: "Take the program from a root directory of that machine, with --sysroot",
  format: "Begin it with #! and its interpreter",
};

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
    return { severity: "error", path: "/init", code, message, hint: hint ?? MEND[kind] };
  });
}

/** The generated /init's program, unless a job brings another. */
function checkRecords(view: FileView): Diagnostic[] {
  const [program] = initRecords(view, "arg");
  const path = initRecords(view, "env")
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
function checkModules(view: FileView, paths: readonly string[]): Diagnostic[] {
  const lacking: string[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const path of paths) {
    const [, release, module] = MODULE.exec(path) ?? [];
    const node = view.lookup(path);
    if (release === undefined || module === undefined || node?.kind !== "file") continue;
    try {
      const files = moduleFirmware(module, view.read(path, 0, node.size)).map(({ file }) => file);
      const missing = files.filter((file) => findFirmware(view, release, file).length === 0);
      const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
      if (missing.length > 0) lacking.push(`${module} ("${missing[0]}"${more})`);
    } catch (error) {
      if (!(error instanceof ElfError)) throw error;
      const message = `The module "${path}" is damaged: ${error.message}`;
      diagnostics.push({ code: "module-damaged", severity: "warning", path, message });
    }
  }
  if (lacking.length === 0) return diagnostics;
  const shown = lacking.slice(0, 3).join(", ");
  const others = lacking.length > 3 ? ` and ${lacking.length - 3} other modules` : "";
  const message = `Not in the image is firmware that may be loaded by ${shown}${others}`;
  const hint = "If a device needs it, install its package (firmware-…) and build the image again";
  return [...diagnostics, { code: "firmware-missing", severity: "note", message, hint }];
}

function isScript(view: FileView, path: string): boolean {
  const file = resolveFile(view, path);
  return file !== undefined && parseShebang(view.read(file.path, 0, SHEBANG_BYTES)) !== undefined;
}
