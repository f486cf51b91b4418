import type { KernelTree } from "@justenough/cpio";
import { ElfError, openElf, readModuleInfo } from "@justenough/elf";

import { explainRole } from "../closure.ts";
import type { ClosureFile } from "../internal/closure-file.ts";
import { findFirmware, moduleFirmware } from "../internal/firmware.ts";
import { createResolver } from "../internal/program-closure.ts";
import { type FileView, resolve } from "../internal/view.ts";
import { filesBelow } from "../internal/walk.ts";

import { kernelView } from "./kernel-view.ts";

/** One step of a chain: what is there, and the file that wants it, if any does. */
export interface WhyStep {
  readonly path: string;
  /** In words. */
  readonly why: string;
}

interface Reason {
  readonly by: string | undefined;
  readonly why: string;
}

/**
 * Tells why a file is in an image: who needs it, and who needs that, up to what nothing else asks for. It is read off
 * the files themselves, since an image does not say what it was made from: libraries, loaders, interpreters, links,
 * what kernel modules depend on, and their firmware. Undefined if there is no such file.
 */
export function explainPath(tree: KernelTree, path: string): WhyStep[] | undefined {
  const view = kernelView(tree);
  const found = resolve(view, path);
  if (found === undefined && view.lookup(path) === undefined) return undefined;
  const reasons = reasonsOf(view);
  const steps: WhyStep[] = [];
  const seen = new Set<string>();
  for (let at: string | undefined = view.lookup(path) === undefined ? found?.path : path; at !== undefined;) {
    if (seen.has(at)) break;
    seen.add(at);
    const reason: Reason | undefined = reasons.get(at);
    steps.push({ path: at, why: reason?.why ?? "nothing in the image asks for it" });
    at = reason?.by;
  }
  return steps;
}

/** For each file the first reason that was found, programs in the order of their paths. */
function reasonsOf(view: FileView): Map<string, Reason> {
  const reasons = new Map<string, Reason>();
  const paths = [...filesBelow(view, "/")];
  const give = (path: string, reason: Reason): void => {
    if (!reasons.has(path) && reason.by !== path) reasons.set(path, reason);
  };
  give("/init", { by: undefined, why: "the kernel starts it" });
  const resolver = createResolver(view, { dlopen: ["required", "recommended", "suggested"] });
  for (const path of ["/init", ...paths]) {
    const node = resolve(view, path)?.node;
    if (node?.kind !== "file" || ((node.mode & 0o111) === 0 && !/\.so(?:\.|$)/.test(path))) continue;
    for (const file of resolver(path).files) giveClosure(give, file, path);
  }
  for (const path of paths) giveModule(view, give, path, paths);
  for (const path of paths) {
    const node = view.lookup(path);
    if (node?.kind !== "link") continue;
    const target = resolve(view, path)?.path;
    if (target !== undefined) give(target, { by: path, why: `${path} leads to it` });
  }
  return reasons;
}

function giveClosure(give: (path: string, reason: Reason) => void, file: ClosureFile, program: string): void {
  if (file.role === "program") return;
  const reason = { by: file.neededBy, why: explainRole(file, program) };
  give(file.path, reason);
  for (const link of file.resolved.links)
    give(link.path, { by: file.path, why: `on the way to ${file.path}` });
  give(
    file.resolved.path,
    file.resolved.path === file.path ? reason : { by: file.path, why: `${file.path} leads to it` },
  );
}

/** What modules say of each other, and of their firmware. */
function giveModule(
  view: FileView,
  give: (path: string, reason: Reason) => void,
  path: string,
  paths: readonly string[],
): void {
  const [, release, module] = /\/lib\/modules\/([^/]+)\/(?:.*\/)?([^/]+)\.ko$/.exec(path) ?? [];
  const node = view.lookup(path);
  if (release === undefined || module === undefined || node?.kind !== "file") return;
  const bytes = view.read(path, 0, node.size);
  try {
    const info = readModuleInfo(openElf(bytes)) ?? [];
    const depends = info.filter(({ key }) => key === "depends").flatMap(({ value }) => value.split(","));
    for (const other of paths) {
      const name = /\/([^/]+)\.ko$/.exec(other)?.[1]?.replaceAll("-", "_");
      if (name !== undefined && depends.some((one) => one.replaceAll("-", "_") === name)) {
        give(other, { by: path, why: `the module ${module} depends on it` });
      }
    }
    for (const { file } of moduleFirmware(module, bytes)) {
      for (const firmware of findFirmware(view, release, file)) {
        const real = resolve(view, firmware)?.path ?? firmware;
        give(real, { by: path, why: `firmware of the module ${module}` });
      }
    }
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
  }
}
