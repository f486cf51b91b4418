/** What conf works on, and how files are found. */
import type { Dialect } from "../engine/dialect.ts";
import type { LoadInProgress, LoadRequest } from "../engine/load.ts";
import type { KconfigSourceHost } from "../engine/source.ts";
import type { Terminal } from "./ask.ts";

/** All that conf does to the world. Texts are latin-1. */
export interface ConfHost extends KconfigSourceHost, Terminal {
  /** Where relative names are looked for first. */
  readonly cwd: string;
  readonly isDirectory: (path: string) => boolean;
  readonly exists: (path: string) => boolean;
  /** Makes a directory and those above it. */
  readonly makeDirectory: (path: string) => void;
  /** Writes beside and renames, or writes in place when `overwrite`. */
  readonly writeFile: (path: string, text: string, overwrite?: boolean) => void;
  readonly rename: (from: string, to: string) => void;
  /** Makes the file if need be, and empties it. */
  readonly touch: (path: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Loads a tree in another way than beginLoad(), from a cache, say. */
  readonly begin?: ((request: LoadRequest) => LoadInProgress) | undefined;
}

export interface ConfRequest {
  /** Arguments as conf takes them. */
  readonly args: readonly string[];
  /** The program's name in its usage. */
  readonly program?: string | undefined;
  readonly dialect: Dialect;
}

/** conf ends here. */
export class Exit extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

export function resolvePath(cwd: string, name: string): string {
  return name.startsWith("/") ? name : `${cwd}/${name}`;
}

/** The text of a file that is looked for as Kconfig files are: here, else in $srctree (zconf_fopen()). */
export function openText(host: ConfHost, name: string): string | undefined {
  const text = host.readFile(resolvePath(host.cwd, name));
  const srctree = host.getenv("srctree");
  if (text !== undefined || srctree === undefined || name.startsWith("/")) return text;
  return host.readFile(resolvePath(host.cwd, `${srctree}/${name}`));
}
