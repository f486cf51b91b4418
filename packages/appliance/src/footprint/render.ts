import type { Footprint, FootprintNeed } from "./footprint.ts";

/** A footprint as text, for people. */
export function renderFootprint({ name, needs, unused, unresolved, run }: Footprint): string {
  const of = (evidence: FootprintNeed["evidence"]): FootprintNeed[] =>
    needs.filter((need) => need.evidence === evidence);
  const parts: string[] = [];
  const [seen, tried, possible] = [of("seen"), of("tried"), of("possible")];
  if (run !== undefined) {
    parts.push(`What ${name} used of its kernel in a run (${run.calls} kinds of system calls)`, table(seen));
    if (!run.complete) parts.push(`The trace was cut off, so that something may be missing: ${run.log}`);
  }
  if (tried.length > 0) parts.push("What it tried, and went on without", table(tried));
  if (possible.length > 0) {
    parts.push(
      run === undefined ? `What the code of ${name} may use` : "What its code may use besides",
      table(possible),
    );
  }
  const missing = [...seen, ...possible].filter(({ asked }) => asked === undefined);
  const proposal = (list: readonly FootprintNeed[]): string => {
    const features = [...new Set(list.flatMap(({ feature }) => feature ?? []))];
    const symbols = list.filter(({ feature }) => feature === undefined).map(({ symbol }) => `${symbol}: y`);
    const lines = [
      ...(features.length > 0 ? [`features: [${features.join(", ")}]`] : []),
      ...(symbols.length > 0 ? [`config: { ${symbols.join(", ")} }`] : []),
    ];
    return `  kernel: { ${lines.join(", ")} }`;
  };
  const used = missing.filter(({ evidence }) => evidence === "seen");
  if (used.length > 0) parts.push("The spec lacks of what was used", proposal(used));
  else if (run !== undefined) parts.push("The spec has all that was used.");
  const might = missing.filter(({ evidence }) => evidence === "possible");
  if (might.length > 0) parts.push("The spec lacks of what may be used", proposal(might));
  if (unused.length > 0) {
    parts.push(
      "The spec has, and nothing was found to use",
      `  ${unused.map(({ symbol, asked }) => `${symbol} (${asked})`).join(", ")}`,
    );
  }
  if (unresolved.length > 0) {
    const files = unresolved.map(({ file, sites }) => (sites === 0 ? file : `${file} (${sites} places)`));
    parts.push("System calls of which code does not show the number", `  ${[...new Set(files)].join(", ")}`);
  }
  return parts.join("\n");
}

function table(needs: readonly FootprintNeed[]): string {
  const rows = needs.map(({ symbol, feature, asked, reasons }) => [
    symbol,
    asked ?? (feature === undefined ? "-" : `- (feature ${feature})`),
    `${reasons[0] ?? ""}${reasons.length > 1 ? `, and ${reasons.length - 1} more` : ""}`,
  ]);
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const [first, second] = [width(0), width(1)];
  return rows
    .map(
      ([symbol = "", asked = "", why = ""]) => `  ${symbol.padEnd(first)}  ${asked.padEnd(second)}  ${why}`,
    )
    .join("\n");
}
