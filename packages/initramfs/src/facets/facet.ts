import type { FileView } from "../internal/view.ts";

/** Where a facet looks. */
export interface FacetRequest {
  readonly view: FileView;
  /** What stands behind `=` in `locale=de_DE.UTF-8,fr_FR.UTF-8`. */
  readonly values: readonly string[];
  /** Directories of the system's libraries that exist, without double names. */
  readonly libraryDirectories: readonly string[];
  /** Where a program is. @throws {InitramfsError} */
  findProgram(name: string): string;
}

/** What a facet brings, all of it paths in the sysroot. */
export interface FacetContent {
  /** As they are. */
  readonly files: readonly string[];
  /** Programs and libraries, with what they need to be loaded. */
  readonly objects?: readonly string[] | undefined;
  /** Texts that are made here, for places where the image has nothing. */
  readonly texts?: Readonly<Record<string, string>> | undefined;
  /** Links that are made here, in the same way. */
  readonly links?: Readonly<Record<string, string>> | undefined;
}

/** What no ELF file says that a program needs. */
export type Facet = (request: FacetRequest) => FacetContent;
