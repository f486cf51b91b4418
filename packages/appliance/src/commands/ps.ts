import type { CliContext } from "../context.ts";
import { listBackground } from "../run/background.ts";
import { printJson } from "./common.ts";
import type { CommonFlags } from "./flags.ts";

export async function ps(this: CliContext, flags: CommonFlags): Promise<void> {
  const runs = await listBackground();
  if (flags.json) {
    printJson(this, runs);
    return;
  }
  for (const run of runs) {
    const ports = run.forwards.map(({ host, guest }) => `${host}:${guest}`).join(" ");
    this.process.stdout.write(
      `${run.pid}\t${run.name}\t${run.phase}\t${ports || "-"}\t${run.since}\t${run.spec}\n`,
    );
  }
}
