/** The statements of a Makefile that decide what is built; rules and their recipes are passed over. */

/** How an assignment treats what was there before. */
export type AssignOperator = "=" | ":=" | "+=" | "?=";

/** What a branch asks: `ifeq (a,b)`, `ifdef NAME`. `negated` is ifneq and ifndef. */
export type Test =
  | { readonly kind: "eq"; readonly left: string; readonly right: string; readonly negated: boolean }
  | { readonly kind: "def"; readonly name: string; readonly negated: boolean };

export type Statement =
  | {
      readonly kind: "assign";
      readonly line: number;
      readonly name: string;
      readonly operator: AssignOperator;
      readonly value: string;
    }
  | { readonly kind: "include"; readonly line: number; readonly files: string }
  | { readonly kind: "if"; readonly line: number; readonly branches: readonly Branch[] };

export interface Branch {
  /** Undefined for the last `else`. */
  readonly test: Test | undefined;
  readonly body: Statement[];
}

/** Reads a Makefile's text (GNU make's manual, "Writing Makefiles"). What is no statement of these is left out. */
export function parseMakefile(text: string): Statement[] {
  const top: Statement[] = [];
  const open: { readonly branches: Branch[] }[] = [];
  let body = top;
  let defining = false;
  let inRule = false;
  for (const { line, text: raw } of logicalLines(text)) {
    if (defining) {
      defining = !/^\s*endef\b/.test(raw);
      continue;
    }
    // Behind a rule a line with a tab belongs to its recipe; conditions are make's everywhere.
    const recipe = inRule && raw.startsWith("\t");
    const words = withoutComment(raw).trim();
    if (words === "") continue;
    if (/^define\b/.test(words) && !recipe) {
      defining = true;
      continue;
    }
    if (/^if(n?eq|n?def)\b/.test(words)) {
      const branches: Branch[] = [{ test: testOf(words), body: [] }];
      body.push({ kind: "if", line, branches });
      open.push({ branches });
      body = branches[0]?.body ?? body;
      continue;
    }
    const inner = open.at(-1);
    if (/^else\b/.test(words) && inner !== undefined) {
      const rest = words.replace(/^else\s*/, "");
      const branch: Branch = { test: rest === "" ? undefined : testOf(rest), body: [] };
      inner.branches.push(branch);
      body = branch.body;
      continue;
    }
    if (/^endif\b/.test(words) && inner !== undefined) {
      open.pop();
      body = open.at(-1)?.branches.at(-1)?.body ?? top;
      continue;
    }
    if (recipe) continue;
    inRule = false;
    const files = /^[-s]?include\s+(.*)$/.exec(words)?.[1];
    if (files !== undefined) body.push({ kind: "include", line, files });
    else {
      const assigned = assignment(words);
      if (assigned === undefined) inRule = words.includes(":");
      else body.push({ kind: "assign", line, ...assigned });
    }
  }
  return top;
}

function* logicalLines(text: string): Generator<{ readonly line: number; readonly text: string }> {
  let line = 0;
  let start = 0;
  let kept = "";
  for (const part of text.split("\n")) {
    line += 1;
    if (kept === "") start = line;
    if (part.endsWith("\\")) {
      kept += `${part.slice(0, -1)} `;
      continue;
    }
    yield { line: start, text: kept + part };
    kept = "";
  }
  if (kept !== "") yield { line: start, text: kept };
}

function withoutComment(line: string): string {
  const at = line.search(/(?<!\\)#/);
  return at < 0 ? line : line.slice(0, at);
}

function assignment(
  words: string,
): { readonly name: string; readonly operator: AssignOperator; readonly value: string } | undefined {
  // Names hold references, whose arguments may have "=" and ":" in them.
  const end = endOfName(words);
  const [, operator, value = ""] = /^\s*(:=|::=|\+=|\?=|=)\s*(.*)$/.exec(words.slice(end)) ?? [];
  const name = words
    .slice(0, end)
    .replace(/^(export|override)\s+/, "")
    .trim();
  if (operator === undefined || name === "" || /\s/.test(outsideReferences(name))) return undefined;
  return { name, operator: operator === "::=" ? ":=" : (operator as AssignOperator), value };
}

function outsideReferences(name: string): string {
  let [before, text] = ["", name];
  while (text !== before) [before, text] = [text, text.replaceAll(/\$?\([^()]*\)/g, "")];
  return text;
}

function endOfName(words: string): number {
  let depth = 0;
  for (let at = 0; at < words.length; at += 1) {
    const char = words[at];
    if (char === "(" || char === "{") depth += 1;
    else if (char === ")" || char === "}") depth -= 1;
    else if (depth === 0 && /^(:=|::=|\+=|\?=|=)/.test(words.slice(at, at + 3))) return at;
    else if (depth === 0 && char === ":") return words.length;
  }
  return words.length;
}

function testOf(words: string): Test {
  const [, negation, kind, rest = ""] = /^if(n?)(eq|def)\b\s*(.*)$/.exec(words) ?? [];
  const negated = negation === "n";
  if (kind === "def") return { kind: "def", name: rest.trim(), negated };
  const [left = "", right = ""] = rest.startsWith("(")
    ? splitArguments(rest.slice(1, rest.lastIndexOf(")")), 2)
    : [...rest.matchAll(/"([^"]*)"|'([^']*)'/g)].map(([, double, single]) => double ?? single ?? "");
  return { kind: "eq", left: left.trim(), right: right.trim(), negated };
}

/** Splits at commas that are in no parentheses, into `most` arguments at most. */
export function splitArguments(text: string, most = Infinity): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length && found.length < most - 1; at += 1) {
    const char = text[at];
    if (char === "(" || char === "{") depth += 1;
    else if (char === ")" || char === "}") depth -= 1;
    else if (char === "," && depth === 0) {
      found.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...found, text.slice(start)];
}
