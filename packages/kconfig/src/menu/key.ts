/** A character, or the name of a key: `up`, `return`, `C-c`. */
export type Key = string;

/** Whether a key is a character, and not the name of one. */
export function isCharacter(key: Key): boolean {
  return Array.from(key).length === 1;
}
