import { ARCHES, type Arch } from "./arch.ts";
import { InitramfsError } from "./error.ts";
import { certificates } from "./facets/certificates.ts";
import type { Facet, FacetContent } from "./facets/facet.ts";
import { gconv } from "./facets/gconv.ts";
import { locale } from "./facets/locale.ts";
import { node } from "./facets/node.ts";
import { nss } from "./facets/nss.ts";
import { pam } from "./facets/pam.ts";
import { python } from "./facets/python.ts";
import { terminfo } from "./facets/terminfo.ts";
import { timeZones } from "./facets/time-zones.ts";
import { findProgram } from "./internal/find-program.ts";
import { nearest } from "./internal/suggest.ts";
import { type FileView, resolve } from "./internal/view.ts";

const FACETS: Readonly<Record<string, Facet>> = {
  nss,
  locale,
  terminfo,
  tz: timeZones,
  "ca-certificates": certificates,
  gconv,
  pam,
  python,
  node,
};

/** The names of what no ELF file says that a program needs, see `facets` of {@link ContentSpec}. */
export const FACET_NAMES: readonly string[] = Object.keys(FACETS);

export interface FacetOptions {
  readonly arch: Arch;
  readonly searchPath?: readonly string[] | undefined;
}

/** Looks up one facet, `NAME` or `NAME=VALUE,VALUE`, in a root file system. */
export function readFacet(view: FileView, text: string, { arch, searchPath }: FacetOptions): FacetContent {
  const [, name = "", list] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  const facet = Object.hasOwn(FACETS, name) ? FACETS[name] : undefined;
  if (facet === undefined) {
    const guess = nearest(name, FACET_NAMES);
    throw new InitramfsError("INITRAMFS_INVALID_OPTION", `There is no facet "${name}"`, {
      hint: guess === undefined ? `They are ${FACET_NAMES.join(", ")}` : `Did you mean "${guess}"?`,
    });
  }
  const values = list?.split(",").filter(Boolean) ?? [];
  const odd = values.find((value) => value.startsWith("/") || value.split("/").includes(".."));
  if (odd !== undefined) {
    throw new InitramfsError(
      "INITRAMFS_INVALID_OPTION",
      `"${odd}" is a path, not a name for the facet ${name}`,
    );
  }
  return facet({
    view,
    values,
    libraryDirectories: libraryDirectories(view, arch),
    findProgram: (program) => findProgram(view, program, { searchPath }),
  });
}

function libraryDirectories(view: FileView, arch: Arch): string[] {
  const { multiarch } = ARCHES[arch];
  const paths = [`/usr/lib/${multiarch}`, `/lib/${multiarch}`, "/usr/lib64", "/lib64", "/usr/lib", "/lib"];
  const found = new Map<string, string>();
  for (const path of paths) {
    const real = resolve(view, path);
    if (real?.node.kind === "directory" && !found.has(real.path)) found.set(real.path, path);
  }
  return [...found.values()];
}
