import { join } from "./paths.ts";
import { type FileView, resolve } from "./view.ts";

/** Everything below a directory but directories, by the path that was given for it; nothing if there is none. */
export function* filesBelow(
  view: FileView,
  directory: string,
  wanted: (path: string) => boolean = () => true,
): Generator<string, void, undefined> {
  const found = resolve(view, directory);
  if (found?.node.kind !== "directory") return;
  for (const name of view.list(found.path)) {
    const path = join(directory, name);
    if (!wanted(path)) continue;
    const node = view.lookup(join(found.path, name));
    if (node?.kind === "directory") yield* filesBelow(view, path, wanted);
    else if (node !== undefined && node.kind !== "other") yield path;
  }
}

/** Those of the paths at which something is. */
export function existing(view: FileView, paths: readonly string[]): string[] {
  return paths.filter((path) => resolve(view, path) !== undefined);
}
