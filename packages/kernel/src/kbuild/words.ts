/** Words of a Makefile, each with the condition under which it is there. */
import { ALWAYS, and, not, or } from "./condition.ts";
import type { Condition } from "./condition.ts";

export interface Word {
  readonly text: string;
  readonly when: Condition;
}

/**
 * What text stands for. A list has any of its words; a choice has exactly one of its texts, the empty one among them if
 * need be.
 */
export type Value =
  | { readonly kind: "list"; readonly words: readonly Word[] }
  | { readonly kind: "choice"; readonly words: readonly Word[] };

/** Thrown inside the reader, and caught at the statement that cannot be read. */
export class NotUnderstood extends Error {}

/** Beyond that many texts of a name nobody wrote it for symbols. */
const MOST = 243;

export function listOf(value: Value): readonly Word[] {
  if (value.kind === "list") return value.words;
  return value.words.flatMap(({ text, when }) => split(text).map((word) => ({ text: word, when })));
}

/** @throws NotUnderstood for a list whose words may be there in too many ways. */
export function choiceOf(value: Value): readonly Word[] {
  if (value.kind === "choice") return value.words;
  let found: readonly Word[] = [{ text: "", when: ALWAYS }];
  for (const word of value.words) {
    const without = not(word.when);
    found = found.flatMap(({ text, when }) => {
      const grown = { text: text === "" ? word.text : `${text} ${word.text}`, when: and(when, word.when) };
      return without.kind === "never" ? [grown] : [grown, { text, when: and(when, without) }];
    });
    if (found.length > MOST) throw new NotUnderstood("too many combinations");
  }
  return found;
}

/** Pieces that stand beside each other without a blank. */
export function glued(pieces: readonly Value[]): Value {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  let found: readonly Word[] = [{ text: "", when: ALWAYS }];
  for (const piece of pieces) {
    const choices = choiceOf(piece);
    found = found.flatMap((before) =>
      choices.map(({ text, when }) => ({ text: before.text + text, when: and(before.when, when) })),
    );
    if (found.length > MOST) throw new NotUnderstood("too many combinations");
  }
  return { kind: "choice", words: found.filter(({ when }) => when.kind !== "never") };
}

/** When a value is not empty. */
export function presence(value: Value): Condition {
  return or(...listOf(value).map(({ when }) => when));
}

export function under(words: readonly Word[], condition: Condition): Word[] {
  if (condition.kind === "always") return [...words];
  return words.map(({ text, when }) => ({ text, when: and(when, condition) }));
}

export function split(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

export function constant(text: string): Value {
  return { kind: "choice", words: [{ text, when: ALWAYS }] };
}
