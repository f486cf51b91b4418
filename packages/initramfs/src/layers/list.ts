import { statSync } from "node:fs";
import { basename, resolve as resolveHost } from "node:path";

import { InitramfsError } from "../error.ts";
import { readError } from "../internal/host-view.ts";
import { quoteName } from "../internal/names.ts";
import type { TreeNode } from "../tree.ts";
import { fileSource } from "./byte-source.ts";
import { entryPath, linkTarget } from "./entry-path.ts";
import type { LayerContext, ReadLayer } from "./layer.ts";
import { type Leaf, newDirectory, put } from "./root.ts";

/** The usage text of usr/gen_init_cpio.c. */
const FORMS = new Map(
  Object.entries({
    file: "file <name> <location> <mode> <uid> <gid> [<hard links>]",
    dir: "dir <name> <mode> <uid> <gid>",
    nod: "nod <name> <mode> <uid> <gid> <dev_type> <maj> <min>",
    slink: "slink <name> <target> <mode> <uid> <gid>",
    pipe: "pipe <name> <mode> <uid> <gid>",
    sock: "sock <name> <mode> <uid> <gid>",
  }),
);

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a list in the format of the kernel's usr/gen_init_cpio.c. Locations are relative to the working directory. */
export function readListLayer(
  path: string,
  context: LayerContext,
  env: Environment = process.env,
): ReadLayer {
  const name = basename(path);
  const source = fileSource(path);
  const lines = Buffer.from(source.read(0, source.size)).toString().split("\n");
  const root = newDirectory();
  for (const [index, line] of lines.entries()) {
    const where = `${name}:${index + 1}`;
    // A comment starts in the first column; blank lines mean nothing.
    if (line.startsWith("#") || line.trim() === "") continue;
    for (const [parts, entry] of parseLine(line, where, context, env)) put(root, parts, entry, where);
  }
  return { root, info: { kind: "list", source: path, name }, diagnostics: [] };
}

type Parsed = [parts: string[], entry: Leaf | Extract<TreeNode, { kind: "directory" }>];

function parseLine(line: string, where: string, context: LayerContext, env: Environment): Parsed[] {
  const [type = "", ...words] = line.trim().split(/[ \t]+/);
  const form = FORMS.get(type);
  if (form === undefined) {
    throw listError(where, `unknown type ${quoteName(type)}`, `One of ${[...FORMS.keys()].join(", ")}`);
  }
  const wanted = form.split(" <").length - 1;
  if (words.length < wanted) throw listError(where, `too few words for ${quoteName(type)}`, form);
  const word = (at: number): string => words[at] as string;
  const number = (at: number, radix: 8 | 10): number => parseNumber(word(at), radix, where, form);
  // Where <mode> stands; <uid> and <gid> follow.
  const at = type === "file" || type === "slink" ? 2 : 1;
  const mode = number(at, 8) & 0o7777;
  const uid = number(at + 1, 10);
  const gid = number(at + 2, 10);
  const common = { why: where, ...(uid === 0 ? {} : { uid }), ...(gid === 0 ? {} : { gid }) };
  const names = type === "file" ? [word(0), ...words.slice(5)] : [word(0)];
  const node = ((): TreeNode => {
    switch (type) {
      case "file":
        return { kind: "file", mode, content: hostContent(expand(word(1), env), where, context), ...common };
      case "dir":
        return { kind: "directory", mode, ...common };
      case "slink":
        return { kind: "link", to: linkTarget(word(1), word(0), where), ...common };
      case "nod": {
        const device = { b: "block", c: "character" } as const;
        // Whatever is no "b" is a character device to gen_init_cpio; here it is a mistake.
        const kind = device[word(4)[0] as "b" | "c"];
        if (kind === undefined)
          throw listError(where, `the device type ${quoteName(word(4))} is neither b nor c`, form);
        return { kind: "device", type: kind, mode, major: number(5, 10), minor: number(6, 10), ...common };
      }
      case "pipe":
        return { kind: "fifo", mode, ...common };
      default:
        return { kind: "socket", mode, ...common };
    }
  })();
  const entry = node.kind === "directory" ? node : { node, file: {} };
  return names.map((name) => {
    context.budget.entry(where);
    return [entryPath(name, where), entry];
  });
}

/** sscanf's %o and %d take what they can; a word that is not wholly a number is a mistake here. */
function parseNumber(text: string, radix: 8 | 10, where: string, form: string): number {
  const value = (radix === 8 ? /^[0-7]+$/ : /^\d+$/).test(text) ? Number.parseInt(text, radix) : Number.NaN;
  if (value <= 0xffff_ffff) return value;
  throw listError(where, `${quoteName(text)} is no ${radix === 8 ? "octal" : "decimal"} number`, form);
}

/** `${NAME}` as in cpio_replace_env(): an unset variable is empty, and what was put in is looked at again. */
function expand(location: string, env: Environment): string {
  let text = location;
  for (let rounds = 0; rounds < 100; rounds++) {
    const match = /\$\{([^}]*)\}/.exec(text);
    if (match === null) return text;
    text =
      text.slice(0, match.index) +
      (env[match[1] as string] ?? "") +
      text.slice(match.index + match[0].length);
  }
  return text;
}

function hostContent(path: string, where: string, context: LayerContext) {
  let stats;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw readError(path, error);
  }
  if (stats?.isFile() !== true) {
    const problem = stats === undefined ? "does not exist" : "is no regular file";
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `${where}: the file ${quoteName(path)} ${problem}`);
  }
  context.budget.bytes(stats.size, where);
  return { kind: "host", path: resolveHost(path), size: stats.size } as const;
}

function listError(where: string, problem: string, hint: string): InitramfsError {
  return new InitramfsError("INITRAMFS_LAYER", `${where}: ${problem}`, { hint });
}
