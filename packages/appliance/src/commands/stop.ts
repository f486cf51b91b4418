import type { CliContext } from "../context.ts";
import { ApplianceError } from "../error.ts";
import { listBackground, stopBackground } from "../run/background.ts";
import { findSpec } from "../spec/source.ts";
import { printJson } from "./common.ts";
import type { CommonFlags } from "./flags.ts";

export async function stop(this: CliContext, flags: CommonFlags, where: string): Promise<void> {
  const spec = await findSpec(where);
  const runs = (await listBackground()).filter((run) => run.spec === spec);
  if (runs.length === 0) {
    throw new ApplianceError("APPLIANCE_NOT_RUNNING", `No appliance of "${where}" runs in the background`, {
      hint: "'appliance ps' lists those that do",
    });
  }
  const stopped: { name: string; pid: number; how: string }[] = [];
  for (const run of runs) stopped.push({ name: run.name, pid: run.pid, how: await stopBackground(run) });
  if (flags.json) printJson(this, stopped);
  else
    for (const { name, pid, how } of stopped) this.process.stdout.write(`${name} (process ${pid}) ${how}\n`);
}
