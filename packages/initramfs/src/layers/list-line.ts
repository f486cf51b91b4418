import { InitramfsError } from "../error.ts";
import { quoteName } from "../internal/names.ts";

/** The usage text of usr/gen_init_cpio.c. */
const FORMS: Readonly<Record<string, string>> = {
  file: "file <name> <location> <mode> <uid> <gid> [<hard links>]",
  dir: "dir <name> <mode> <uid> <gid>",
  nod: "nod <name> <mode> <uid> <gid> <dev_type> <maj> <min>",
  slink: "slink <name> <target> <mode> <uid> <gid>",
  pipe: "pipe <name> <mode> <uid> <gid>",
  sock: "sock <name> <mode> <uid> <gid>",
};

/** One line of a list, with the words as they stand there. */
export type ListEntry = {
  readonly names: readonly [string, ...string[]];
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
} & (
  | { readonly kind: "file"; readonly location: string }
  | { readonly kind: "link"; readonly to: string }
  | {
      readonly kind: "device";
      readonly type: "block" | "character";
      readonly major: number;
      readonly minor: number;
    }
  | { readonly kind: "directory" | "fifo" | "socket" }
);

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a line as usr/gen_init_cpio.c does, `undefined` for a comment or a blank one. `where` is for errors.
 *
 * @throws {InitramfsError} INITRAMFS_LAYER
 */
export function parseListLine(line: string, where: () => string, env: Environment): ListEntry | undefined {
  // A comment starts in the first column; blank lines mean nothing.
  if (line.startsWith("#")) return undefined;
  const words = line.trim().split(/[ \t]+/);
  const type = words.shift() ?? "";
  if (type === "") return undefined;
  const form = Object.hasOwn(FORMS, type) ? FORMS[type] : undefined;
  if (form === undefined) {
    throw listError(where(), `unknown type ${quoteName(type)}`, `One of ${Object.keys(FORMS).join(", ")}`);
  }
  const wanted = { file: 5, nod: 7, slink: 5 }[type] ?? 4;
  if (words.length < wanted) throw listError(where(), `too few words for ${quoteName(type)}`, form);
  const word = (at: number): string => words[at] as string;
  const number = (at: number, radix: 8 | 10): number => parseNumber(word(at), radix, where, form);
  // Where <mode> stands; <uid> and <gid> follow.
  const at = type === "file" || type === "slink" ? 2 : 1;
  const common = {
    names: [word(0)] as [string, ...string[]],
    mode: number(at, 8) & 0o7777,
    uid: number(at + 1, 10),
    gid: number(at + 2, 10),
  };
  switch (type) {
    case "file":
      common.names.push(...words.slice(5));
      return { kind: "file", location: expand(word(1), env), ...common };
    case "slink":
      return { kind: "link", to: word(1), ...common };
    case "dir":
      return { kind: "directory", ...common };
    case "pipe":
      return { kind: "fifo", ...common };
    case "sock":
      return { kind: "socket", ...common };
    default: {
      const device = { b: "block", c: "character" } as const;
      // Whatever is no "b" is a character device to gen_init_cpio; here it is a mistake.
      const kind = device[word(4)[0] as "b" | "c"];
      if (kind === undefined) {
        throw listError(where(), `the device type ${quoteName(word(4))} is neither b nor c`, form);
      }
      return { kind: "device", type: kind, major: number(5, 10), minor: number(6, 10), ...common };
    }
  }
}

const PATTERNS = { 8: /^[0-7]+$/, 10: /^\d+$/ } as const;

/** sscanf's %o and %d take what they can; a word that is not wholly a number is a mistake here. */
function parseNumber(text: string, radix: 8 | 10, where: () => string, form: string): number {
  const value = PATTERNS[radix].test(text) ? Number.parseInt(text, radix) : Number.NaN;
  if (value <= 0xffff_ffff) return value;
  throw listError(where(), `${quoteName(text)} is no ${radix === 8 ? "octal" : "decimal"} number`, form);
}

/** `${NAME}` as in cpio_replace_env(): an unset variable is empty, and what was put in is looked at again. */
function expand(location: string, env: Environment): string {
  let text = location;
  for (let rounds = 0; rounds < 100 && text.includes("${"); rounds++) {
    const match = /\$\{([^}]*)\}/.exec(text);
    if (match === null) return text;
    text =
      text.slice(0, match.index) +
      (env[match[1] as string] ?? "") +
      text.slice(match.index + match[0].length);
  }
  return text;
}

function listError(where: string, problem: string, hint: string): InitramfsError {
  return new InitramfsError("INITRAMFS_LAYER", `${where}: ${problem}`, { hint });
}
