import { InitramfsError } from "../error.ts";
import { basename, dirname, join } from "../internal/paths.ts";
import { type FileView, resolve, resolveFile } from "../internal/view.ts";
import type { Facet } from "./facet.ts";
import { filesBelow } from "../internal/walk.ts";

/** Parts of the standard library that are for developers and desktops, by far its greater half. */
const LEFT_OUT =
  /\/(?:__pycache__|test|tests|idlelib|idle_test|tkinter|turtledemo|lib2to3|ensurepip|config-[^/]+)$/;

/**
 * Python 3 with its standard library, and the installed packages that are named, each with what else lies under
 * its name but not with what it depends on.
 */
export const python: Facet = ({ view, values, findProgram }) => {
  const program = findProgram("python3");
  const { library, homes } = findLibrary(view, program);
  const all = [...filesBelow(view, library, (path) => !LEFT_OUT.test(path) && !isSite(path))];
  const packages = values.flatMap((name) => {
    const found = homes.flatMap((home) => packageFiles(view, home, name));
    if (found.length > 0) return found;
    throw new InitramfsError(
      "INITRAMFS_NOT_FOUND",
      `Python has no package "${name}" in ${homes.join(", ")}`,
      {
        hint: "Give the name by which it is imported",
      },
    );
  });
  const files = [...all, ...packages];
  const isLibrary = (path: string): boolean => /\.so(?:\.\d+)*$/.test(path);
  return {
    files: files.filter((path) => !isLibrary(path)),
    objects: [program, ...files.filter(isLibrary)],
  };
};

/** By its landmark os.py, beside the program as Python itself does (Modules/getpath.py). */
function findLibrary(view: FileView, program: string): { library: string; homes: string[] } {
  const found = resolve(view, program);
  const prefix = dirname(dirname(found?.path ?? program));
  const version = /^python(3\.\d+)/.exec(basename(found?.path ?? ""))?.[1];
  for (const lib of ["lib", "lib64"]) {
    const library = `${prefix === "/" ? "" : prefix}/${lib}/python${version}`;
    if (version === undefined || resolveFile(view, `${library}/os.py`) === undefined) continue;
    const own = [`${library}/site-packages`, `${library}/dist-packages`];
    const debian = [
      `${dirname(library)}/python3/dist-packages`,
      `/usr/local/lib/python${version}/dist-packages`,
    ];
    return { library, homes: [...own, ...debian] };
  }
  throw new InitramfsError(
    "INITRAMFS_NOT_FOUND",
    `There is no standard library beside "${found?.path ?? program}"`,
    {
      hint: "Its os.py would be in lib/python3.N; on Debian install libpython3-stdlib",
    },
  );
}

function isSite(path: string): boolean {
  return /\/(?:site|dist)-packages$/.test(path);
}

/** A package is a directory, a single file, or a compiled module. */
function packageFiles(view: FileView, home: string, name: string): string[] {
  const found = resolve(view, home);
  if (found?.node.kind !== "directory") return [];
  const own = view.list(found.path).filter((entry) => {
    return (
      entry === name || entry === `${name}.py` || (entry.startsWith(`${name}.`) && entry.endsWith(".so"))
    );
  });
  return own.flatMap((entry) => {
    const path = join(home, entry);
    const node = resolve(view, path)?.node;
    return node?.kind === "directory"
      ? [...filesBelow(view, path, (below) => !LEFT_OUT.test(below))]
      : [path];
  });
}
