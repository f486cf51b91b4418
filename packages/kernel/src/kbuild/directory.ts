/** What the Makefile of one directory lists: objects, parts of composite ones, libraries, directories. */
import { readFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { ALWAYS, and, NEVER, not, or } from "./condition.ts";
import type { Condition } from "./condition.ts";
import { parseMakefile } from "./makefile.ts";
import type { Statement } from "./makefile.ts";
import { makeVariables } from "./variables.ts";
import type { Environment, Place, PlacedWord, Variables } from "./variables.ts";
import { listOf, NotUnderstood } from "./words.ts";

/** A line that lists an object or a directory. */
export interface Mention extends Place {
  /**
   * `obj`: built in or a module by itself. `lib`: in a library, of which the linker takes what it needs. `part`: of the
   * composite object `owner`. `other`: in a list of the Makefile's own, for rules of its own (boot code, the vdso).
   */
  readonly list: "obj" | "lib" | "part" | "other";
  /** Relative to the tree; of the Makefile that is read for the directory, also when a file included by it has the line. */
  readonly directory: string;
  /** The composite object; only with `part`. */
  readonly owner?: string | undefined;
  /** When this line has it in the kernel itself, given that its directory and owner are. */
  readonly builtin: Condition;
  /** When this line has it in a module, given that its directory is visited and its owner is one. */
  readonly module: Condition;
}

/** A line of which it is not known what it lists, or when. */
export interface NotRead extends Place {
  readonly text: string;
}

export interface DirectoryLists {
  readonly objects: readonly (readonly [path: string, Mention])[];
  /** Without the slash at the end. */
  readonly directories: readonly (readonly [path: string, Mention])[];
  readonly notRead: readonly NotRead[];
}

/** Lists whose words are objects and directories (scripts/Makefile.build, Makefile.lib), and what a word in them is. */
const LISTS = {
  "obj-y": { list: "obj", builtin: true },
  "obj-m": { list: "obj", builtin: false },
  "lib-y": { list: "lib", builtin: true },
  "lib-m": { list: "lib", builtin: true },
} as const;
const ALONE = new Set<string>([...Object.keys(LISTS), "obj-", "lib-", "subdir-y", "subdir-m", "subdir-"]);

export interface ReadingContext {
  readonly tree: string;
  readonly environment: Environment;
}

/** Reads the lists of a directory that has a Kbuild or a Makefile; undefined when it has neither. */
export async function readDirectory(
  directory: string,
  context: ReadingContext,
): Promise<DirectoryLists | undefined> {
  for (const name of ["Kbuild", "Makefile"]) {
    const file = join(directory, name);
    const variables = await readVariables(file, context);
    if (variables !== undefined) return listsOf(variables, directory);
  }
  return undefined;
}

/** Reads a Makefile with all that it includes of the tree; undefined when it is not there. */
export async function readVariables(
  file: string,
  { tree, environment }: ReadingContext,
): Promise<Variables | undefined> {
  const variables = makeVariables(environment);
  const read = async (path: string, when: Condition, depth: number): Promise<boolean> => {
    const text = await readFile(join(tree, path), "utf8").catch(() => undefined);
    if (text === undefined) return false;
    await run(parseMakefile(text), path, when, depth);
    return true;
  };
  const run = async (
    statements: readonly Statement[],
    path: string,
    when: Condition,
    depth: number,
  ): Promise<void> => {
    for (const statement of statements) {
      const { line } = statement;
      if (statement.kind === "assign") {
        for (const { text, when: chosen } of namesOf(variables, statement.name)) {
          variables.assign(text, statement.operator, statement.value, and(when, chosen), {
            file: path,
            line,
          });
        }
      } else if (statement.kind === "if") {
        let rest = when;
        for (const { test, body } of statement.branches) {
          const holds = test === undefined ? ALWAYS : variables.test(test);
          const inside = and(rest, holds);
          if (inside.kind !== "never") await run(body, path, inside, depth);
          rest = and(rest, not(holds));
        }
      } else if (depth < 40) {
        for (const included of filesOf(variables, statement.files)) {
          await read(normalize(included), when, depth + 1);
        }
      }
    }
  };
  return (await read(file, ALWAYS, 0)) ? variables : undefined;
}

// A name such as obj-$(CONFIG_X) is one of several.
function namesOf(
  variables: Variables,
  name: string,
): readonly { readonly text: string; readonly when: Condition }[] {
  if (!name.includes("$")) return [{ text: name, when: ALWAYS }];
  try {
    const found = new Map<string, Condition>();
    for (const { text, when } of variables.expand(name).words)
      found.set(text, or(found.get(text) ?? NEVER, when));
    return [...found].map(([text, when]) => ({ text, when }));
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    // Its words are listed with what is not known.
    const stem = name.slice(0, name.indexOf("$"));
    return [{ text: `${stem}y`, when: { kind: "unknown", text: name } }];
  }
}

// Paths begin with $(src) or $(srctree); what is not understood or outside the tree is generated, or not ours.
function filesOf(variables: Variables, files: string): string[] {
  try {
    return listOf(variables.expand(files)).map(({ text }) =>
      text.slice(text.lastIndexOf("//") + 1).replace(/^\/+/, ""),
    );
  } catch (error) {
    if (error instanceof NotUnderstood) return [];
    throw error;
  }
}

function listsOf(variables: Variables, directory: string): DirectoryLists {
  const objects: [string, Mention][] = [];
  const directories: [string, Mention][] = [];
  const notRead: NotRead[] = [];
  const names = new Set(variables.names());
  const used = new Set(ALONE);
  const read = (name: string): readonly PlacedWord[] => {
    used.add(name);
    if (!names.has(name)) return [];
    const { words, why } = variables.words(name);
    for (const { file, line, why: text } of why) notRead.push({ file, line, text: `${name}: ${text}` });
    return words;
  };
  const path = (word: string): string => normalize(join(directory, word)).replace(/\/$/, "");
  // Built in and listed for a module as well, it is only built in ("obj-m := $(filter-out $(obj-y),$(obj-m))").
  const builtin = new Map<string, Condition>();
  const listed: { readonly name: string; readonly mention: Mention }[] = [];
  for (const [name, { list, builtin: isBuiltin }] of Object.entries(LISTS)) {
    for (const { text, when, file, line } of read(name)) {
      const place = { list, file, line, directory };
      if (text.endsWith("/")) {
        const mention = isBuiltin ? { builtin: when, module: NEVER } : { builtin: NEVER, module: when };
        directories.push([path(text), { ...place, ...mention }]);
      } else if (text.endsWith(".o")) {
        if (isBuiltin) builtin.set(text, or(builtin.get(text) ?? NEVER, when));
        const without = isBuiltin ? NEVER : and(when, not(builtin.get(text) ?? NEVER));
        const mention = { ...place, builtin: isBuiltin ? when : NEVER, module: without };
        objects.push([path(text), mention]);
        listed.push({ name: text, mention });
      }
    }
  }
  for (const name of ["subdir-y", "subdir-m"]) {
    for (const { text, when, file, line } of read(name)) {
      const mention = { list: "obj", file, line, directory, builtin: NEVER, module: when } as const;
      directories.push([path(text), mention]);
    }
  }
  for (const name of new Set(listed.filter(({ mention }) => mention.list === "obj").map((one) => one.name))) {
    objects.push(...partsOf(name.slice(0, -2), path(name)));
  }
  for (const name of names) {
    if (used.has(name)) continue;
    // Not `read`: a list that nobody knows is not missed, and most variables are flags.
    for (const { text, when, file, line } of variables.words(name).words) {
      if (!/^[\w./+-]+\.o$/.test(text)) continue;
      const place = { list: "other", file, line, directory } as const;
      const local = text.startsWith(`${directory}/`) ? text : path(text);
      objects.push([local, { ...place, builtin: when, module: NEVER }]);
    }
  }
  return { objects, directories, notRead };

  function* partsOf(stem: string, owner: string): Generator<[string, Mention]> {
    for (const end of ["-objs", "-y", "-m", "-"]) {
      for (const { text, when, file, line } of read(stem + end)) {
        if (!text.endsWith(".o") || end === "-") continue;
        const place = { list: "part", file, line, directory, owner } as const;
        yield [path(text), { ...place, builtin: end === "-m" ? NEVER : when, module: when }];
      }
    }
  }
}
