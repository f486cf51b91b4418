import type { Arch } from "../arch.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Budget } from "./budget.ts";
import type { LayerSpec } from "./layer-spec.ts";
import type { ImageConfig } from "./oci-config.ts";
import type { Directory } from "./root.ts";

/** What is known of a layer beside its files. */
export interface LayerInfo {
  readonly kind: LayerSpec["kind"];
  readonly source: string;
  /** For people: the file's name, `image:tag`, `package NAME VERSION`. */
  readonly name: string;
  /** What a container image would run, as plain data; nothing of it is applied. */
  readonly config?: ImageConfig | undefined;
}

export interface ReadLayer {
  readonly root: Directory;
  readonly info: LayerInfo;
  readonly diagnostics: readonly Diagnostic[];
}

export interface LayerContext {
  readonly arch: Arch;
  readonly budget: Budget;
  /** Keep the archive's times of change. */
  readonly keepTimes: boolean;
  readonly signal?: AbortSignal | undefined;
}
