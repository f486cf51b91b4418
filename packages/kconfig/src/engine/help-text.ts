/** The help text as it is shown: without the indentation of its first line and without blanks at the ends of lines. */
export function formatHelp(raw: string): string {
  let first = 0;
  return raw
    .split("\n")
    .map((line) => {
      const blanks = /^[ \t]*/.exec(line)?.[0] ?? "";
      const rest = line.slice(blanks.length).replace(/[ \t]+$/, "");
      if (rest === "") return "";
      let indent = 0;
      for (const blank of blanks) indent = blank === "\t" ? (indent & ~7) + 8 : indent + 1;
      const more = first > 0 ? indent - first : 0;
      if (first === 0) first = indent;
      return " ".repeat(more) + rest;
    })
    .join("\n");
}
