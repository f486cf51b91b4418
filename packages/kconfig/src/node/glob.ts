/** File names that match a shell pattern, as glob(3) finds and sorts them in the C locale. */
import { readdirSync, statSync } from "node:fs";

/** Existing paths that match an absolute pattern with `*`, `?` and `[…]`. */
export function globFiles(pattern: string): readonly string[] {
  let found = [""];
  for (const part of pattern.split("/").slice(1)) {
    found = found.flatMap((base) => matches(base, part).map((name) => `${base}/${name}`));
  }
  return found.sort();
}

function matches(directory: string, part: string): readonly string[] {
  if (!/[*?[]/.test(part)) {
    return statSync(`${directory}/${part}`, { throwIfNoEntry: false }) === undefined ? [] : [part];
  }
  const expression = globExpression(part);
  try {
    return readdirSync(directory === "" ? "/" : directory).filter(
      (name) => expression.test(name) && (part.startsWith(".") || !name.startsWith(".")),
    );
  } catch {
    return [];
  }
}

/** A pattern as an expression; `*` and `?` stop at slashes. */
export function globExpression(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replace(/\*/g, "[^/]*")
    .replace(/\?/g, "[^/]")
    .replace(/\[!/g, "[^");
  return new RegExp(`^${text}$`);
}
