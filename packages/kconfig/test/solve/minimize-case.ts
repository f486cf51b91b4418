/** A defconfig, minimized and judged by the tree's own conf. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { minimize } from "../../src/index.ts";
import { encode } from "../../src/internal/symbol-view.ts";
import { runInDirectory } from "../reference/parity.ts";
import type { Judge } from "./verify.ts";

export interface MinimizedCase {
  readonly lines: number;
  /** How many lines C's savedefconfig has. */
  readonly saved: number;
  readonly faults: readonly string[];
  readonly milliseconds: number;
}

export function minimizeCase({ loaded, conf }: Judge, defconfig: string): MinimizedCase {
  const { env, answers, directory, tree } = loaded;
  const make = (text: string): string => {
    const files = { input: text };
    const run = runInDirectory(conf, ["--defconfig=input", "Kconfig"], env, files, { answers });
    return run.files[".config"] ?? run.stderr;
  };
  const whole = make(readFileSync(join(directory, defconfig), "latin1"));
  const args = ["--savedefconfig=defconfig", "Kconfig"];
  const saved = runInDirectory(conf, args, env, { ".config": whole }, { answers }).files["defconfig"] ?? "";
  const started = performance.now();
  const text = minimize(tree, Buffer.from(whole, "latin1").toString("utf8"));
  const milliseconds = performance.now() - started;
  const faults: string[] = [];
  if (make(encode(text)) !== whole) faults.push("another .config");
  const lines = count(text);
  if (lines > count(saved)) {
    const same = make(saved) === whole;
    faults.push(`longer than savedefconfig, which makes ${same ? "the same" : "another"} .config`);
  }
  return { lines, saved: count(saved), faults, milliseconds };
}

function count(text: string): number {
  return text.split("\n").filter((line) => line !== "").length;
}
