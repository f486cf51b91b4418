/**
 * Splits a command string at blanks, with '…' and "…" kept together. It is no shell: what only a shell
 * could do is refused with a message, not passed on as a strange argument.
 */
export function splitWords(
  command: string,
): { readonly words: readonly string[] } | { readonly error: string } {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (const char of command) {
    if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else word = (word ?? "") + char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if ("|&;<>()$`\\".includes(char)) {
      return { error: `"${char}" needs a shell` };
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== undefined) return { error: `a ${quote} is not closed` };
  if (word !== undefined) words.push(word);
  return words.length === 0 ? { error: "it is blank" } : { words };
}
