/** File names that match a shell pattern, as glob(3) finds and sorts them in the C locale. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Matches of a pattern with `*`, `?` and `[…]`, relative to a directory unless the pattern is absolute. */
export function globFiles(pattern: string, directory: string): readonly string[] {
  let found = [pattern.startsWith("/") ? "/" : ""];
  for (const part of pattern.split("/").filter((name) => name !== "")) {
    found = found.flatMap((base) => matches(join(directory, base), part).map((name) => `${base}${name}/`));
  }
  return found.map((path) => path.slice(0, -1)).sort();
}

function matches(directory: string, part: string): readonly string[] {
  if (!/[*?[]/.test(part)) {
    return statSync(join(directory, part), { throwIfNoEntry: false }) === undefined ? [] : [part];
  }
  const expression = new RegExp(
    `^${part
      .replace(/[.+^${}()|\\]/g, "\\$&")
      .replace(/\*/g, ".*")
      .replace(/\?/g, ".")
      .replace(/\[!/g, "[^")}$`,
  );
  try {
    return readdirSync(directory).filter(
      (name) => expression.test(name) && (part.startsWith(".") || !name.startsWith(".")),
    );
  } catch {
    return [];
  }
}
