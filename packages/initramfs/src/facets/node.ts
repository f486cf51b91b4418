import { type FileView, resolveFile } from "../internal/view.ts";
import type { Facet } from "./facet.ts";
import { existing, filesBelow } from "../internal/walk.ts";

const PART = 1 << 22;
const OUTSIDE = /\/usr\/share\/nodejs\/[\w./@-]+\.(?:js|json|wasm)/g;

/**
 * Node. The program of nodejs.org has all in itself; Debian's is made to read parts of Node's own library from
 * files, whose names stand in it.
 */
export const node: Facet = ({ view, libraryDirectories, findProgram }) => {
  const program = findProgram("node");
  const libraries = libraryDirectories.flatMap((directory) => [
    ...filesBelow(view, directory, (path) => path.startsWith(`${directory}/libnode.so`)),
  ]);
  const outside = [program, ...libraries].flatMap((path) => namesIn(view, path));
  return {
    files: existing(view, [...new Set(outside), "/etc/ssl/openssl.cnf"]),
    objects: [program],
  };
};

function namesIn(view: FileView, path: string): string[] {
  const file = resolveFile(view, path);
  if (file === undefined) return [];
  const names: string[] = [];
  for (let at = 0; at < file.size; at += PART) {
    // Names may lie across the border of two parts.
    const bytes = view.read(file.path, at, PART + 4096);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    names.push(...(text.match(OUTSIDE) ?? []));
  }
  return names;
}
