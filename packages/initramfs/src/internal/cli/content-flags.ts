import { type Arch, ARCHES, hostArch } from "../../arch.ts";
import type { InitramfsProgress } from "../../context.ts";
import type { ContentSpec, ProgramSpec } from "../../spec.ts";
import { type CommandIo, UsageError } from "./command-line.ts";

/** What can be put into an image, by the commands that do so. */
export const CONTENT_FLAGS = {
  output: { type: "string", short: "o" },
  program: { type: "string", short: "p", multiple: true },
  file: { type: "string", short: "f", multiple: true },
  directory: { type: "string", multiple: true },
  link: { type: "string", multiple: true },
  module: { type: "string", multiple: true },
  facet: { type: "string", multiple: true },
  "modules-from": { type: "string" },
  compression: { type: "string" },
  arch: { type: "string" },
  "cache-dir": { type: "string" },
  sysroot: { type: "string" },
} as const;

type Values = {
  readonly [K in keyof typeof CONTENT_FLAGS]?:
    | ((typeof CONTENT_FLAGS)[K] extends { multiple: true } ? string[] : string)
    | undefined;
};

export function readContentFlags(values: Values): Omit<ContentSpec, "init" | "layers"> {
  if (values.module !== undefined && values["modules-from"] === undefined) {
    throw new UsageError("--module needs --modules-from DIR");
  }
  const directory = values["modules-from"];
  return {
    arch: choice("--arch", values.arch ?? hostArch() ?? "", Object.keys(ARCHES) as Arch[]),
    sysroot: values.sysroot,
    programs: (values.program ?? []).map(parseProgram),
    files: values.file?.map((text) => pair("--file", text)).map(([target, source]) => ({ target, source })),
    directories: values.directory?.map((target) => ({ target })),
    links: values.link?.map((text) => pair("--link", text)).map(([target, to]) => ({ target, to })),
    facets: values.facet,
    modules: directory === undefined ? undefined : { directory, names: values.module ?? [] },
  };
}

function parseProgram(text: string): ProgramSpec {
  const equals = text.indexOf("=");
  return equals < 0 ? { source: text } : { source: text.slice(0, equals), target: text.slice(equals + 1) };
}

function pair(flag: string, text: string): [string, string] {
  const equals = text.indexOf("=");
  if (equals <= 0 || equals === text.length - 1) {
    throw new UsageError(
      `${flag} "${text}" is not in the form TARGET=${flag === "--link" ? "TO" : "SOURCE"}`,
    );
  }
  return [text.slice(0, equals), text.slice(equals + 1)];
}

export function choice<T extends string>(flag: string, value: string, choices: readonly T[]): T {
  const found = choices.find((word) => word === value);
  if (found === undefined) throw new UsageError(`${flag} is "${value}", wanted one of ${choices.join(", ")}`);
  return found;
}

/** One line that is rewritten on a terminal; nothing elsewhere, packing takes seconds. */
export function progressLine(io: CommandIo): {
  readonly show: (event: InitramfsProgress) => void;
  readonly clear: () => void;
} {
  if (io.stderr.isTTY !== true) return { show: () => {}, clear: () => {} };
  let last = 0;
  return {
    show: ({ phase, done, total, unit, message }) => {
      const now = Date.now();
      if (now - last < 100 && done !== total) return;
      last = now;
      const of = total === undefined ? "" : ` ${done}/${total} ${unit}`;
      io.stderr.write(`\r\u001b[K${phase}${of}${message === undefined ? "" : ` ${message}`}`);
    },
    clear: () => void io.stderr.write("\r\u001b[K"),
  };
}
