import type { ApplianceProgress } from "../progress.ts";

/** What building takes besides the spec. */
export interface BuildContext {
  /** Default: `$XDG_CACHE_HOME/justenough`, else `~/.cache/justenough`. */
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ApplianceProgress) => void) | undefined;
  /** Compilers at the same time. Default: one for each processor. */
  readonly jobs?: number | undefined;
  /** Look for newer kernel sources and do not trust an earlier build. */
  readonly update?: boolean | undefined;
}
