import { InitramfsError } from "../error.ts";
import { resolve, resolveFile } from "../internal/view.ts";
import type { Facet } from "./facet.ts";
import { filesBelow } from "../internal/walk.ts";

const ROOT = "/usr/lib/locale";
const ARCHIVE = `${ROOT}/locale-archive`;

/**
 * Locales by name, C.UTF-8 without any: the directory that localedef(1) made, or the archive that has it among
 * others. A program uses one when LANG or LC_ALL names it.
 */
export const locale: Facet = ({ view, values }) => {
  const files = (values.length === 0 ? ["C.UTF-8"] : values).flatMap((name) => {
    const spelt = normalized(name);
    const directory = [name, spelt].find(
      (text) => resolve(view, `${ROOT}/${text}`)?.node.kind === "directory",
    );
    if (directory !== undefined) return [...filesBelow(view, `${ROOT}/${directory}`)];
    const archive = resolveFile(view, ARCHIVE);
    if (archive !== undefined && holds(view.read(archive.path, 0, archive.size), spelt)) return [ARCHIVE];
    // Built into glibc, in this one spelling, since 2.35.
    if (spelt === "C.utf8") return [];
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `There is no locale "${name}" in ${ROOT}`, {
      hint: `Make it: localedef -i ${name.replace(/[.@].*/, "")} -f ${/\.([^@]+)/.exec(name)?.[1] ?? "UTF-8"} ${name}`,
    });
  });
  return { files: [...new Set(files)] };
};

/** The name of the character set without what is no letter or digit, in lower case (_nl_normalize_codeset()). */
function normalized(name: string): string {
  return name.replace(
    /\.([^@]+)/,
    (_, codeset: string) => `.${codeset.toLowerCase().replaceAll(/[^a-z0-9]/g, "")}`,
  );
}

function holds(archive: Uint8Array, name: string): boolean {
  return Buffer.from(archive.buffer, archive.byteOffset, archive.length).includes(`\0${name}\0`);
}
