/** Texts of strangers on a terminal: what would steer it is taken out, and how wide the rest is. */
// Controls, marks that reorder or hide what stands beside them, halves of characters, and what has no meaning yet.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;
const MARK = /[\p{Mn}\p{Me}]/u;
// What the Unicode annex on East Asian width calls wide and full, but for some hundred symbols: scripts, emoji, punctuation.
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\p{Script=Tangut}\p{Script=Nushu}\p{Emoji_Presentation}\u2ff0-\u303e\u30fb\u30fc\u3190-\u33ff\ufe10-\ufe6f\uff01-\uff60\uffe0-\uffe6]/u;
// Of these scripts: the letters that join others, and forms of half the width.
const HALF = /[\u1160-\u11ff\ud7b0-\ud7ff\uff61-\uffdc]/u;
const ASCII = /^[\x20-\x7e]*$/;

/** One line of characters that a terminal shows and does not obey; a tab is a blank. */
export function printable(text: string): string {
  return ASCII.test(text) ? text : text.replaceAll("\t", " ").replace(UNSAFE, "\u{fffd}");
}

/** How many columns a printable text takes. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

function charWidth(char: string): number {
  if (MARK.test(char)) return 0;
  return WIDE.test(char) && !HALF.test(char) ? 2 : 1;
}

/** The beginning of a printable text, no wider than this; one that is cut ends with "~". */
export function clip(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return "";
  return `${head(text, columns - 1)}~`;
}

/** As much of the beginning as fits. */
export function head(text: string, columns: number): string {
  let end = 0;
  let width = 0;
  for (const char of text) {
    width += charWidth(char);
    if (width > columns) break;
    end += char.length;
  }
  return text.slice(0, end);
}

/** As much of the end as fits. Looks at no more than that, since what is pasted may be long. */
export function tail(text: string, columns: number): string {
  const chars = Array.from(text);
  let from = chars.length;
  for (let width = 0; from > 0; from--) {
    width += charWidth(chars[from - 1] ?? "");
    if (width > columns) break;
  }
  return chars.slice(from).join("");
}

/** A line as lines that fit, broken at blanks where there are any; what follows keeps the indentation. */
export function wrap(line: string, columns: number): readonly string[] {
  const blanks = /^ */.exec(line)?.[0].length ?? 0;
  const indent = " ".repeat(Math.max(0, Math.min(blanks, Math.floor(columns / 2))));
  const room = Math.max(1, columns - indent.length);
  const lines: string[] = [];
  let rest = line.slice(blanks);
  while (widthOf(rest) > room) {
    // At least one character, also where it is wider than the terminal.
    const most = head(rest, room) || (Array.from(rest)[0] ?? "");
    const blank = rest[most.length] === " " ? most.length : most.lastIndexOf(" ");
    const cut = blank > 0 ? blank : most.length;
    lines.push(indent + rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  lines.push(indent + rest);
  return lines;
}
