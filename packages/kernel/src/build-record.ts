import type { BuildDiagnostic } from "./build-diagnostic.ts";
import type { SourceProvenance } from "./source.ts";

/** What build.json says of a build. Nothing in it decides the kernel's bytes; all that does is in the kernel's id. */
export interface BuildRecord {
  readonly id: string;
  readonly source: SourceProvenance & { readonly id: string };
  readonly arch: string;
  readonly features: readonly string[];
  /** Of the complete configuration. */
  readonly configSha256: string;
  readonly compiler: string;
  /** What compiler and linker say of themselves. */
  readonly toolchain: string;
  /** As they can be typed again. */
  readonly commands: readonly string[];
  /** ISO 8601, UTC. */
  readonly started: string;
  /** Of the compilation: a build that found objects of an earlier one takes less. */
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** How many objects were compiled, or taken from ccache. */
  readonly objects: number;
  /** Bytes of the files beside it. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly warnings: readonly BuildDiagnostic[];
}
