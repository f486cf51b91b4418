/** A case and both outputs as text, to read and to make by hand. */
import type { FuzzCase } from "./case.ts";
import { textOf } from "./case.ts";
import { differencesOf } from "./run-case.ts";
import type { RunPair } from "./run-case.ts";

export function reportOf(one: FuzzCase, pairs: readonly RunPair[]): string {
  const parts = [`case ${one.seed}`];
  for (const [name, lines] of Object.entries(one.files)) parts.push(`--- ${name}`, textOf(lines).trimEnd());
  for (const [index, pair] of pairs.entries()) {
    const found = differencesOf(pair);
    if (found.length === 0) continue;
    for (const { args, env, input } of one.runs[index] ?? []) {
      const names = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
      parts.push(
        `$ ${[...names, "conf", ...args].join(" ")}${input.length > 0 ? ` <<< ${JSON.stringify(textOf(input))}` : ""}`,
      );
    }
    for (const what of found) {
      const [left, right] = [pair.ours, pair.theirs].map((outcome) =>
        what === "stdout"
          ? outcome?.stdout
          : what === "stderr"
            ? outcome?.stderr
            : what === "exit status"
              ? outcome?.statuses.join(" ")
              : outcome?.files[what],
      );
      parts.push(`=== ours: ${what}`, left ?? "(missing)", `=== C: ${what}`, right ?? "(missing)");
    }
  }
  return `${parts.join("\n")}\n`;
}
