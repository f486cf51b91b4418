/** Which option brought an object into a kernel, read from the lines of its Makefiles. */
import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";

/** A line that names an object or a directory. */
interface Mention {
  /** The composite object that it is a part of; undefined in lists that make builds by themselves (obj-, lib-). */
  readonly whole: string | undefined;
  /** The symbol of the line, or of the condition around it. */
  readonly option: string | undefined;
  /** The directory of the Makefile. */
  readonly directory: string;
}

/**
 * For each object the symbol whose line brought it in; if that line is unconditional, the symbol of the composite object
 * or of the directory that it belongs to; undefined when it is there in every kernel, or when that cannot be told.
 *
 * Read as text, not run: what a Makefile computes by functions or loops is taken for unconditional.
 */
export async function objectOptions(
  tree: string,
  sourceArch: string,
  objects: readonly string[],
  isOn: (symbol: string) => boolean,
): Promise<ReadonlyMap<string, string | undefined>> {
  const directories = new Set(["."]);
  for (const object of objects) {
    for (let at = dirname(object); at !== "." && !directories.has(at); at = dirname(at)) directories.add(at);
  }
  const mentions = new Map<string, Mention[]>();
  for (const directory of directories) {
    // The architecture's Makefile names directories from the top of the tree.
    const top = directory === `arch/${sourceArch}`;
    const files = top ? ["Kbuild", "Makefile"] : [await existing(tree, directory)];
    for (const file of files) {
      const text = await readFile(join(tree, directory, file), "utf8").catch(() => "");
      const base = top && file === "Makefile" ? "." : directory;
      for (const { name, mention } of readMentions(text, base)) {
        mentions.set(name, [...(mentions.get(name) ?? []), mention]);
      }
    }
  }
  const optionOf = (name: string, depth = 0): string | undefined => {
    const inEffect = (mentions.get(name) ?? []).filter(({ option }) => option === undefined || isOn(option));
    // Named twice, once without a condition, it would be there without the option too.
    const found = inEffect.find(({ option }) => option === undefined) ?? inEffect[0];
    if (found?.option !== undefined) return found.option;
    if (found?.whole !== undefined && depth < 9) return optionOf(found.whole, depth + 1);
    const above = found?.directory ?? dirname(name.replace(/\/$/, ""));
    return above === "." || depth > 40 ? undefined : optionOf(`${above}/`, depth + 1);
  };
  return new Map(objects.map((object) => [object, optionOf(object)]));
}

async function existing(tree: string, directory: string): Promise<string> {
  const kbuild = await readFile(join(tree, directory, "Kbuild")).catch(() => undefined);
  return kbuild === undefined ? "Makefile" : "Kbuild";
}

function* readMentions(text: string, directory: string): Generator<{ name: string; mention: Mention }> {
  const conditions: (string | undefined)[] = [];
  for (const line of text.replace(/\\\n/g, " ").split("\n")) {
    const words = line.replace(/#.*/, "").trim();
    if (/^if(n?def|n?eq)\b/.test(words)) conditions.push(conditionOf(words));
    else if (/^else\b/.test(words)) conditions.splice(-1, 1, conditionOf(words.replace(/^else\s*/, "")));
    else if (/^endif\b/.test(words)) conditions.pop();
    const [, list = "", values = ""] = /^(\S[^=]*?)\s*[:+?]?=\s*(.*)$/.exec(words) ?? [];
    const [, owner, kind = ""] = /^([\w.+-]+?)-(y|m|objs|\$\(.*CONFIG_\w+.*\))$/.exec(list) ?? [];
    if (owner === undefined) continue;
    const option =
      /CONFIG_(\w+)/.exec(kind)?.[1] ?? conditions.findLast((condition) => condition !== undefined);
    const alone = /^(obj|lib|core|drivers|libs|head)$/.test(owner);
    const whole = alone ? undefined : normalize(join(directory, `${owner}.o`));
    for (const word of values.split(/\s+/)) {
      if (!/^[\w./+-]+(\.o|\/)$/.test(word)) continue;
      yield { name: normalize(join(directory, word)), mention: { whole, option, directory } };
    }
  }
}

// Of a condition, the symbol that has to be on.
function conditionOf(words: string): string | undefined {
  return (
    /^ifdef\s+CONFIG_(\w+)/.exec(words)?.[1] ??
    /^ifeq\s*\(\s*\$\(CONFIG_(\w+)\)\s*,\s*[ym]\s*\)/.exec(words)?.[1] ??
    /^ifneq\s*\(\s*\$\(CONFIG_(\w+)\)\s*,\s*\)/.exec(words)?.[1]
  );
}
