import { formatBytes, tame } from "../internal/units.ts";
import type { BootRecord, BootStepRecord } from "./boot-record.ts";
import { serverWait, waitsOf } from "./waits.ts";

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

function describeStep(step: BootStepRecord): string {
  const parts: string[] = [];
  if (step.detail !== undefined) parts.push(tame(step.detail));
  if (step.bytes !== undefined) parts.push(formatBytes(step.bytes));
  if (step.bytesPerSecond !== undefined) parts.push(`${formatBytes(step.bytesPerSecond)}/s`);
  if (step.via !== undefined) parts.push(`by ${step.via}`);
  if ((step.times ?? 1) > 1) parts.push(`(${step.times} times)`);
  return parts.join(" ");
}

const OUTCOMES: Readonly<Record<BootRecord["outcome"], string>> = {
  running: "is under way",
  loaded: "has everything; nobody called back",
  booted: "is up",
  done: "is done",
  disk: "was sent to its local disk",
  stopped: "stopped",
};

/**
 * A boot as text: its steps with the seconds since it began, the waits between them and their cures.
 *
 * @example
 * ```ts
 * import { formatBoot } from "@justenough/pxe";
 * console.log(formatBoot({ id: "1", mac: "52:54:00:12:34:56", began: 0, outcome: "running", steps: [] }));
 * ```
 */
export function formatBoot(boot: BootRecord): string {
  const waits = waitsOf(boot);
  const last = boot.steps.at(-1);
  const whole = seconds(Math.max(0, ...boot.steps.map(({ ended }) => ended - boot.began)));
  const where = boot.outcome === "stopped" && last ? ` after "${last.step}"` : "";
  const lines = [
    `boot of ${boot.mac}${boot.platform === undefined ? "" : ` (${boot.platform})`} ${OUTCOMES[boot.outcome]}${where}: ` +
      `${whole} s, of which the server caused ${seconds(serverWait(boot))} s`,
  ];
  for (const step of boot.steps.toSorted((a, b) => a.began - b.began)) {
    const took = step.ended > step.began ? ` ${seconds(step.ended - step.began)} s` : "";
    lines.push(
      `  ${seconds(step.began - boot.began).padStart(8)}  ${step.step.padEnd(9)} ${describeStep(step)}${took}`.trimEnd(),
    );
  }
  for (const { between, milliseconds, who, why, cure } of waits) {
    if (milliseconds < 500 && who !== "server") continue;
    const because = why === undefined ? "" : `: ${why}`;
    const help = cure === undefined ? "" : `; cure: ${cure}`;
    lines.push(`  waited ${seconds(milliseconds)} s (${who}) ${between}${because}${help}`);
  }
  return lines.join("\n");
}
