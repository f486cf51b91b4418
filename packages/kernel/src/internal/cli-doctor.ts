import type { CommandContext } from "../command.ts";
import { examineMachine } from "../doctor.ts";
import type { MachineReport, MachineTool } from "../doctor.ts";
import { operandsOf, printResult } from "./cli-io.ts";

/** `kbuild doctor`: the status is 0 when a build would start. */
export async function doctorCommand(context: CommandContext): Promise<number> {
  const { args, signal } = context;
  operandsOf(args, 0, 0, "doctor");
  const report = await examineMachine({ cacheDir: args.text("cache-dir"), signal });
  printResult(context, report, () => format(report));
  return report.ready ? 0 : 1;
}

function format({ ready, problems, tools, optional, install, disk }: MachineReport): string {
  const some = (tool: MachineTool): boolean => tool.symbols !== undefined;
  const lines = [
    "needed by every kernel",
    ...tools.filter((tool) => !some(tool)).map((tool) => line(tool)),
    "needed by kernels with",
    ...tools.filter(some).map((tool) => line(tool, `${tool.symbols?.join(", ") ?? ""}: `)),
    "not needed",
    ...optional.map((tool) => line(tool)),
    `${(disk.free / 1e9).toFixed(1)} GB left for "${disk.path}", a build wants ${(disk.wanted / 1e9).toFixed(1)} GB`,
    "",
    ...problems.map((problem) => `problem: ${problem}`),
    ready ? "A build would start." : "A build would not start.",
    ...(install === undefined ? [] : [`All that is missing: ${install}`]),
  ];
  return lines.map((text) => `${text}\n`).join("");
}

function line(tool: MachineTool, before = ""): string {
  const state = tool.found ? (tool.version ?? "there") : `missing, in the package ${tool.package}`;
  return `  ${tool.found ? "+" : "-"} ${before}${tool.what}  ${state}`;
}
