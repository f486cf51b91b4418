import type { Diagnostic } from "../errors.ts";

/**
 * What conf prints, as diagnostics: lines that begin with a place, and blocks that do not. A line that is indented or
 * follows one without a place belongs to what stands before it.
 */
export function parseDiagnostics(text: string): readonly Diagnostic[] {
  const found: { severity: "error" | "warning"; message: string; location?: Diagnostic["location"] }[] = [];
  let open = false;
  for (const line of text.split("\n")) {
    if (line === "") {
      open = false;
      continue;
    }
    const placed = /^([^\s:][^:]*):(\d+): ?(?:(warning|error|note): ?)?(.*)$/.exec(line);
    const last = found.at(-1);
    if (placed !== null) {
      const [, file = "", number = "", kind, rest = ""] = placed;
      if (last !== undefined && (kind === "note" || rest.startsWith("\t"))) {
        last.message += `\n${line}`;
        continue;
      }
      const location = { file, line: Number(number), column: 1 };
      const isWarning = kind === "warning" || rest.startsWith("warning: ");
      found.push({
        severity: isWarning ? "warning" : "error",
        message: rest.replace(/^warning: /, ""),
        location,
      });
      open = false;
    } else if (last !== undefined && open) last.message += `\n${line}`;
    else {
      const isWarning = line.startsWith("WARNING: ") || line.startsWith("warning: ");
      found.push({
        severity: isWarning ? "warning" : "error",
        message: line.replace(/^(WARNING|warning|error): /, ""),
      });
      open = true;
    }
  }
  return found.map((one) => ({ code: "KCONFIG_CONF", ...one }));
}
