/** The firmware that modules name. */
import { join } from "node:path";
import type { KernelContext } from "../context.ts";
import type { IndexedModule } from "./module-aliases.ts";
import { runOrThrow } from "./process.ts";

/** By module; modinfo(8) reads compressed modules as well. */
export async function firmwareOf(
  directory: string,
  modules: readonly IndexedModule[],
  context: KernelContext,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  const byPath = new Map<string, string>();
  for (const { name, file, firmware } of modules) {
    if (file !== undefined) byPath.set(join(directory, file), name);
    else if (firmware.length > 0) found.set(name, [...firmware]);
  }
  if (byPath.size === 0) return found;
  const command = { file: "modinfo", args: ["--", ...byPath.keys()] };
  const { stdout } = await runOrThrow(command, { what: "read the modules", signal: context.signal });
  let name = "";
  for (const line of stdout.split("\n")) {
    const [, key, value = ""] = /^(\w+):\s+(.*)$/.exec(line) ?? [];
    if (key === "filename") name = byPath.get(value) ?? "";
    else if (key === "firmware") found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}
