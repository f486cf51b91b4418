import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { nodeHost } from "@justenough/kconfig/node";
import type { TreeHost } from "@justenough/kconfig";
import { archFacts } from "../arch.ts";
import type { Arch } from "../arch.ts";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { makeCommand } from "./make.ts";
import { runOrThrow } from "./process.ts";

// A target of our own that stands where make's configuration targets do: its recipe sees what conf would see.
const TARGET = "justenoughconfig";

/** What the Makefile's environment depends on. */
export interface ConfTarget {
  readonly arch: Arch;
  readonly makeArgs?: readonly string[] | undefined;
}

/** The environment that the tree's Makefile gives conf for a build in `objects`. */
export async function kconfigEnvironment(
  tree: string,
  objects: string,
  target: ConfTarget,
  context: KernelContext,
): Promise<Record<string, string>> {
  await mkdir(objects, { recursive: true });
  const recipe = `${TARGET}:; @env -0`;
  const facts = archFacts(target.arch);
  const more = target.makeArgs ?? [];
  const command = makeCommand(tree, objects, facts, ["-s", ...more, `--eval=${recipe}`, TARGET]);
  const { stdout } = await runOrThrow(command, {
    what: `read the Makefile of the kernel in "${tree}"`,
    signal: context.signal,
  });
  const env: Record<string, string> = {};
  for (const entry of stdout.split("\0")) {
    const equal = entry.indexOf("=");
    // What make passes to itself would make a command that calls make another one of this run.
    if (equal > 0 && !/^(MAKEFLAGS|MFLAGS|MAKELEVEL|MAKEOVERRIDES|-.*)$/.test(entry.slice(0, equal))) {
      env[entry.slice(0, equal)] = entry.slice(equal + 1);
    }
  }
  return env;
}

/** Where answers of the tree's compiler probes are kept. */
export function answersDirectory(context: KernelContext): string {
  return join(kernelCacheDir(context), "answers");
}

/** What the Kconfig engine needs to load a kernel's tree. */
export async function kconfigHost(
  tree: string,
  objects: string,
  target: ConfTarget,
  context: KernelContext,
): Promise<TreeHost & Disposable> {
  context.onProgress?.({ phase: "configure", done: 0, unit: "steps", message: "load the Kconfig files" });
  const env = await kconfigEnvironment(tree, objects, target, context);
  return nodeHost({ env, answers: answersDirectory(context) });
}
