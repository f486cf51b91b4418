import type { FoundBy } from "./library-search.ts";
import type { Resolved } from "./view.ts";

export type ClosureRole = "program" | "interpreter" | "loader" | "library" | "dlopen" | "path-file";

/** A file that a program needs, the program itself included. */
export interface ClosureFile {
  /** Where it is opened: links in it are not followed. */
  readonly path: string;
  readonly resolved: Resolved;
  readonly role: ClosureRole;
  /** The path of the file that asks for it; `undefined` for the program. */
  readonly neededBy?: string | undefined;
  /** The name in the requester's dynamic section, for libraries. */
  readonly name?: string | undefined;
  readonly soname?: string | undefined;
  readonly foundBy?: FoundBy | undefined;
}

/** Why a program could not run with what the view holds. */
export interface ClosureProblem {
  readonly kind: "library" | "loader" | "interpreter" | "architecture" | "format" | "damaged";
  readonly message: string;
  readonly path: string;
  readonly hint?: string | undefined;
}

export interface ProgramClosure {
  readonly files: readonly ClosureFile[];
  readonly problems: readonly ClosureProblem[];
}
