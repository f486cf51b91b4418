/** A line that is typed. */
import { isCharacter } from "./key.ts";
import type { Key } from "./key.ts";

export interface InputLine {
  readonly text: string;
  /** Where the next character goes. */
  readonly at: number;
}

export function inputOf(text: string): InputLine {
  return { text, at: text.length };
}

/** Characters at the cursor, in one line: no controls. */
export function insert({ text, at }: InputLine, more: string): InputLine {
  const clean = more.replace(/\p{Cc}/gu, "");
  return { text: text.slice(0, at) + clean + text.slice(at), at: at + clean.length };
}

/** What a key does to the line; undefined when it is no key for a line. */
export function editLine(line: InputLine, key: Key): InputLine | undefined {
  const { text, at } = line;
  switch (key) {
    case "left":
      return { text, at: before(text, at) };
    case "right":
      return { text, at: after(text, at) };
    case "home":
    case "C-a":
      return { text, at: 0 };
    case "end":
    case "C-e":
      return { text, at: text.length };
    case "backspace":
      return { text: text.slice(0, before(text, at)) + text.slice(at), at: before(text, at) };
    case "delete":
    case "C-d":
      return { text: text.slice(0, at) + text.slice(after(text, at)), at };
    case "C-u":
      return { text: text.slice(at), at: 0 };
    case "C-k":
      return { text: text.slice(0, at), at };
    case "C-w": {
      const word = /\S*\s*$/.exec(text.slice(0, at))?.[0].length ?? 0;
      return { text: text.slice(0, at - word) + text.slice(at), at: at - word };
    }
    default:
      return isCharacter(key) ? insert(line, key) : undefined;
  }
}

// Whole characters, also of two halves.
function before(text: string, at: number): number {
  return at - (Array.from(text.slice(0, at)).at(-1)?.length ?? 0);
}

function after(text: string, at: number): number {
  return at + (Array.from(text.slice(at))[0]?.length ?? 0);
}
