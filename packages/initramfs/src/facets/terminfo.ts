import { InitramfsError } from "../error.ts";
import { resolveFile } from "../internal/view.ts";
import type { Facet } from "./facet.ts";

const DIRECTORIES = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo"];
/** The consoles of machines and emulators, and what people sit at. */
const USUAL = [
  "linux",
  "vt100",
  "vt102",
  "vt220",
  "ansi",
  "dumb",
  "xterm",
  "xterm-256color",
  "screen",
  "tmux",
];

/** Descriptions of terminals by name (terminfo(5)); without any, those that one mostly meets. */
export const terminfo: Facet = ({ view, values }) => {
  const find = (name: string): string | undefined => {
    // By the first letter, or by its code where file names have no case.
    const below = [name.charAt(0), name.charCodeAt(0).toString(16)];
    const paths = DIRECTORIES.flatMap((directory) => below.map((part) => `${directory}/${part}/${name}`));
    return paths.find((path) => resolveFile(view, path) !== undefined);
  };
  const names = values.length === 0 ? USUAL : values;
  const files = names.map(find).filter((path) => path !== undefined);
  const missing =
    values.find((name) => find(name) === undefined) ?? (files.length === 0 ? USUAL[0] : undefined);
  if (missing !== undefined) {
    throw new InitramfsError(
      "INITRAMFS_NOT_FOUND",
      `There is no description of the terminal "${missing}" in ${DIRECTORIES.join(", ")}`,
      { hint: "On Debian ncurses-base has the usual ones, ncurses-term the others" },
    );
  }
  return { files };
};
