/** Code fences of Markdown text and of JSDoc comments. */
export interface Fence {
  /** Info string after the backquotes, such as `ts` or `ts no-run`. */
  readonly info: string;
  readonly code: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

export function fences(markdown: string): readonly Fence[] {
  const found: Fence[] = [];
  let open: { info: string; line: number; code: string[]; mark: string } | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    const mark = /^(`{3,})(.*)$/.exec(text);
    if (open) {
      if (mark?.[1] === open.mark && mark[2]?.trim() === "") {
        found.push({ info: open.info, code: `${open.code.join("\n")}\n`, line: open.line });
        open = undefined;
      } else open.code.push(text);
    } else if (mark) open = { info: (mark[2] ?? "").trim(), line: index + 1, code: [], mark: mark[1] ?? "" };
  }
  return found;
}

/** The `ts` fences that follow `@example` in the JSDoc comments of a source file. */
export function exampleFences(source: string): readonly Fence[] {
  const found: Fence[] = [];
  for (const comment of source.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    if (!comment[0].includes("@example")) continue;
    const before = source.slice(0, comment.index).split("\n").length - 1;
    const text = comment[0]
      .split("\n")
      .map((line) => line.replace(/^\s*\*( |$)/, "").replace(/\s*\*\/$/, ""))
      .join("\n");
    for (const fence of fences(text)) found.push({ ...fence, line: fence.line + before });
  }
  return found;
}
