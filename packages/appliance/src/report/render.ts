import { humanSize } from "../internal/human-size.ts";
import type { ReportFacts } from "./facts.ts";

/** The report as a table for people: one column for each system. */
export function renderReport(columns: readonly ReportFacts[]): string {
  const rows: [label: string, ...cells: string[]][] = [];
  const row = (label: string, cell: (facts: ReportFacts) => string | undefined): void => {
    const cells = columns.map((facts) => cell(facts) ?? "-");
    if (cells.some((text) => text !== "-")) rows.push([label, ...cells]);
  };
  row("report", ({ name, kernel }) => (kernel === undefined ? name : `${name}, ${kernel}`));
  row("kernel", ({ release }) => release);
  row("power-on to /init", ({ times, accel }) => duration(times.init, accel));
  row("power-on to the program", ({ times, accel }) => duration(times.start, accel));
  row(
    "processes",
    ({ processes }) => processes && `${processes.user} user, ${processes.kernel} kernel threads`,
  );
  row(
    "  beside /init",
    ({ processes }) => processes && (processes.names.filter((name) => name !== "init").join(" ") || "none"),
  );
  row("modules loaded", ({ modules }) => modules?.toString());
  row(
    "memory used",
    ({ memory }) => memory && `${(memory.used / 1024).toFixed(1)} of ${(memory.total / 1024).toFixed(1)} MiB`,
  );
  row("interrupts at idle", ({ idle }) => idle && `${idle.interrupts.toFixed(1)} /s`);
  row("context switches at idle", ({ idle }) => idle && `${idle.contextSwitches.toFixed(1)} /s`);
  row("kernel size", ({ kernelSize }) => humanSize(kernelSize));
  row(
    "initramfs size",
    ({ initramfsSize, unpackedSize }) => `${humanSize(initramfsSize)}, ${humanSize(unpackedSize)} unpacked`,
  );
  const deepest = Math.max(...columns.map(({ largest }) => largest.length), 0);
  for (let index = 0; index < deepest; index++) {
    row(index === 0 ? "  largest in it" : "", ({ largest }) => {
      const member = largest[index];
      return member && `${humanSize(member.size)} ${member.path}`;
    });
  }
  row("config symbols set", ({ config }) => `${config.set} (${config.y} y, ${config.m} m)`);
  const defconfig = columns.find((facts) => facts.defconfig)?.defconfig;
  const distro = columns.find((facts) => facts.distro)?.config.set;
  if (defconfig)
    row(`  of ${defconfig.name}'s ${defconfig.set}`, ({ config }) => percent(config.set, defconfig.set));
  if (distro !== undefined)
    row(`  of the distribution's ${distro}`, ({ config }) => percent(config.set, distro));
  const widths = rows.reduce<number[]>(
    (all, cells) => cells.map((cell, index) => Math.max(all[index] ?? 0, cell.length)),
    [],
  );
  return rows
    .map((cells) =>
      cells
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function duration(ms: number | undefined, accel: string): string | undefined {
  // Emulated seconds say nothing about real ones: that belongs beside the number.
  return ms === undefined ? undefined : `${(ms / 1000).toFixed(2)} s${accel === "tcg" ? " (emulated)" : ""}`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)} %`;
}
