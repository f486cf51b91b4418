import type { UkiSection, UkiSummary } from "./inspect.ts";

/** For people; what a hostile file holds must not reach their terminal as it is. */
export function summaryText(summary: UkiSummary): string {
  const { osRelease } = summary;
  const facts = [
    ["machine", summary.machine],
    ["stub", summary.stub],
    ["name", osRelease?.["PRETTY_NAME"] ?? osRelease?.["NAME"]],
    ["kernel", summary.uname],
    ["cmdline", summary.cmdline],
    ["signed", summary.signed ? "yes" : "no"],
    ["size", String(summary.size)],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name?.padEnd(8)} ${printable(value)}\n`]));
  return `${facts.join("")}\n${table(summary.sections)}`;
}

function table(sections: readonly UkiSection[]): string {
  const rows = [
    ["section", "bytes", "at", "address"],
    ...sections.map(({ name, size, rawOffset, virtualAddress }) => [
      printable(name),
      String(size),
      `0x${rawOffset.toString(16)}`,
      `0x${virtualAddress.toString(16)}`,
    ]),
  ];
  return rows
    .map(
      ([name = "", ...numbers]) => `${name.padEnd(9)}${numbers.map((text) => text.padStart(12)).join("")}\n`,
    )
    .join("");
}

function printable(text: string): string {
  return text.replaceAll(
    /\p{C}/gu,
    (character) => `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`,
  );
}
