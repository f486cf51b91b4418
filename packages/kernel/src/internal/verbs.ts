import type { CommandContext } from "../command.ts";

/** A command with a help of its own; its code is loaded when it runs, so that help is instant. */
export interface Verb {
  readonly help: string;
  /** Returns the exit status. */
  readonly run: (context: CommandContext) => Promise<number>;
}

export const VERBS: Readonly<Record<string, Verb>> = {
  diff: {
    help: `kbuild diff A B: what differs between the configurations of two kernels

A and B are each a .config, a kernel image that carries its configuration or has it beside it, a directory of
artifacts, or a build directory. A symbol that is not named and one that is n are the same.

  +SYMBOL VALUE   only in B
  -SYMBOL VALUE   only in A
   SYMBOL A -> B  in both

  --json          {"added", "removed", "changed"}, each a list of {"symbol", "before", "after"}

Exit status: 0 when they are the same, 1 when they differ or on an error, 2 for wrong usage.
`,
    run: async (context) => (await import("./cli-diff.ts")).diffCommand(context),
  },
};
