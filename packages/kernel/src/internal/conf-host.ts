import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConfInvocation, KconfigHost } from "@justenough/kconfig";
import { archFacts } from "../arch.ts";
import type { Arch } from "../arch.ts";
import type { KernelContext } from "../context.ts";
import { makeCommand } from "./make.ts";
import { runOrThrow } from "./process.ts";

/** Answers for the Kconfig engine by running the tree's own `conf`, with `objects` as its build directory. */
export function confHost(arch: Arch, objects: string, context: KernelContext): KconfigHost {
  return {
    conf: async ({ tree, target, input }: ConfInvocation) => {
      await mkdir(objects, { recursive: true });
      const config = join(objects, ".config");
      // An empty file is not what allnoconfig's default file would be; it also keeps conf from looking for others.
      const all = join(objects, ".allconfig");
      await writeFile(target === "olddefconfig" ? config : all, input);
      const named = target === "allnoconfig" ? [`KCONFIG_ALLCONFIG=${all}`] : [];
      const command = makeCommand(tree, objects, archFacts(arch), ["-s", ...named, target]);
      context.onProgress?.({ phase: "configure", done: 0, unit: "steps", message: `make ${target}` });
      await runOrThrow(command, { what: `configure the kernel in "${tree}"`, signal: context.signal });
      return readFile(config, "utf8");
    },
    readFile: async (path) => readFile(path, "utf8").catch(() => undefined),
  };
}
