import type { BootMark, BootProfile } from "./kernel-log.ts";

const NAMES: Readonly<Record<BootMark, string>> = {
  kernel: "kernel",
  initramfs: "initramfs unpacked",
  init: "/init",
  end: "end",
};

/**
 * A boot's profile for a terminal: the marks, the slowest initcalls and the longest silences.
 *
 * @example
 * ```ts
 * import { bootProfile, timelineText } from "@justenough/qemu";
 * console.log(timelineText(bootProfile(["[    0.000000] Linux version 6.12.9", "[    0.700000] Run /init as init process"])));
 * ```
 */
export function timelineText({ marks, gaps, initcalls }: BootProfile): string {
  const lines = marks.map(({ name, seconds }) => `${seconds.toFixed(3).padStart(9)} s  ${NAMES[name]}`);
  if (initcalls.length > 0) lines.push("", "slowest initcalls");
  for (const { name, microseconds, result } of initcalls) {
    const failed = result === 0 ? "" : `, returned ${result}`;
    lines.push(`${(microseconds / 1000).toFixed(1).padStart(8)} ms  ${name}${failed}`);
  }
  if (gaps.length > 0) lines.push("", "longest silences");
  for (const { seconds, at, before, after } of gaps) {
    lines.push(
      `${(seconds * 1000).toFixed(1).padStart(8)} ms  from ${at.toFixed(3)} s: "${before}" to "${after}"`,
    );
  }
  return `${lines.join("\n")}\n`;
}

const [WIDTH, LEFT, ROW] = [960, 10, 22] as const;
const COLOURS = ["#4c78a8", "#f58518", "#54a24b", "#b279a2"] as const;

/** The same as a drawing: the phases above a common axis, then initcalls and silences where they were. */
export function timelineSvg({ marks, gaps, initcalls }: BootProfile): string {
  const end = Math.max(
    0.001,
    ...marks.map(({ seconds }) => seconds),
    ...gaps.map(({ at, seconds }) => at + seconds),
    ...initcalls.map(({ at, microseconds }) => at + microseconds / 1e6),
  );
  const x = (seconds: number): number => LEFT + (seconds / end) * (WIDTH - 2 * LEFT);
  const parts: string[] = [];
  let y = 8;
  const bar = (from: number, to: number, colour: string, label: string): void => {
    const wide = Math.max(1, x(to) - x(from)).toFixed(1);
    // What begins in the right half has its label to its left.
    const [at, anchor] =
      x(from) > WIDTH / 2 ? [x(from) - 4, "end"] : [Math.max(x(to), x(from) + 1) + 4, "start"];
    parts.push(
      `<rect x="${x(from).toFixed(1)}" y="${y}" width="${wide}" height="16" fill="${colour}"/>`,
      `<text x="${at.toFixed(1)}" y="${y + 12}" text-anchor="${anchor}">${escapeXml(label)}</text>`,
    );
    y += ROW;
  };
  for (const [index, { name, seconds }] of marks.entries()) {
    const from = index === 0 ? 0 : (marks[index - 1]?.seconds ?? 0);
    bar(from, seconds, COLOURS[index % COLOURS.length] ?? "", `${NAMES[name]}, ${seconds.toFixed(3)} s`);
  }
  y += ROW / 2;
  for (const { name, at, microseconds } of initcalls)
    bar(at, at + microseconds / 1e6, "#e45756", `${name}, ${(microseconds / 1000).toFixed(1)} ms`);
  for (const { at, seconds, after } of gaps)
    bar(at, at + seconds, "#bab0ac", `${(seconds * 1000).toFixed(1)} ms before "${after.slice(0, 60)}"`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 8}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="white"/>
${parts.join("\n")}
</svg>
`;
}

/** Of what a guest printed XML takes neither markup nor control characters. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\u0020-\uD7FF\uE000-\uFFFD]/g, "?")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
