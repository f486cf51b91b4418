import { type Arch, ARCHES, hostArch } from "../../arch.ts";
import { buildInitramfs } from "../../build.ts";
import type { InitramfsProgress } from "../../context.ts";
import { type CommandIo, parse, UsageError } from "./command-line.ts";
import { generatedInit, parseLayer } from "./layer-flags.ts";
import type { LayerSpec } from "../../layers/layer-spec.ts";
import type { ContentSpec, InitSpec, ProgramSpec } from "../../spec.ts";
import { COMPRESSIONS } from "../../compression.ts";

/** `initramfs pack`. */
export async function packCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const dashes = args.indexOf("--");
  const own = dashes < 0 ? args : args.slice(0, dashes);
  const run = dashes < 0 ? [] : args.slice(dashes + 1);
  const { values, positionals } = parse(own, {
    output: { type: "string", short: "o" },
    program: { type: "string", short: "p", multiple: true },
    layer: { type: "string", short: "l", multiple: true },
    list: { type: "string", multiple: true },
    platform: { type: "string" },
    "max-layer-bytes": { type: "string" },
    "max-layer-entries": { type: "string" },
    "keep-init": { type: "boolean" },
    "restore-capabilities": { type: "boolean" },
    file: { type: "string", short: "f", multiple: true },
    directory: { type: "string", multiple: true },
    link: { type: "string", multiple: true },
    module: { type: "string", multiple: true },
    "modules-from": { type: "string" },
    init: { type: "string" },
    hostname: { type: "string" },
    network: { type: "string" },
    compression: { type: "string" },
    arch: { type: "string" },
    "cache-dir": { type: "string" },
    sysroot: { type: "string" },
  });
  if (positionals.length > 0) {
    throw new UsageError(
      `Unexpected argument "${positionals[0]}"`,
      `For a program to add: --program ${positionals[0]}`,
    );
  }
  if (values.output === undefined) throw new UsageError("pack needs --output FILE");
  if (values.module !== undefined && values["modules-from"] === undefined) {
    throw new UsageError("--module needs --modules-from DIR");
  }
  const ownInit = values.init === undefined ? values["keep-init"] && "--keep-init" : "--init";
  if (typeof ownInit === "string" && run.length > 0) {
    throw new UsageError(`What follows "--" is for the generated /init, but ${ownInit} was given`);
  }
  const arch = choice("--arch", values.arch ?? hostArch() ?? "", Object.keys(ARCHES) as Arch[]);
  const layers = [
    ...(await Promise.all((values.layer ?? []).map((text) => parseLayer(text, values.platform)))),
    ...(values.list ?? []).map((source): LayerSpec => ({ kind: "list", source })),
  ];
  const programs = (values.program ?? []).map(parseProgram);
  const [program] = run;
  // With layers it is one of theirs; what this machine has under that name need not fit them.
  const named = programs.some(({ source, target }) => (target ?? source) === program);
  if (program !== undefined && !named && layers.length === 0) programs.push({ source: program });
  const network = choice("--network", values.network ?? "none", ["none", "dhcp"] as const);
  const init = await ((): InitSpec | Promise<InitSpec> => {
    if (values.init !== undefined) return { kind: "file", source: values.init };
    if (values["keep-init"] === true) return { kind: "layer" };
    return generatedInit({ args: run, hostname: values.hostname, network }, layers, arch);
  })();
  const spec: ContentSpec = {
    layers,
    layerLimits: {
      bytes: count("--max-layer-bytes", values["max-layer-bytes"]),
      entries: count("--max-layer-entries", values["max-layer-entries"]),
    },
    restoreCapabilities: values["restore-capabilities"],
    sysroot: values.sysroot,
    programs,
    files: values.file?.map((text) => pair("--file", text)).map(([target, source]) => ({ target, source })),
    directories: values.directory?.map((target) => ({ target })),
    links: values.link?.map((text) => pair("--link", text)).map(([target, to]) => ({ target, to })),
    modules:
      values["modules-from"] === undefined
        ? undefined
        : { directory: values["modules-from"], names: values.module ?? [] },
    init,
    arch,
  };
  const progress = progressLine(io);
  const image = await buildInitramfs({
    ...spec,
    compression: choice("--compression", values.compression ?? "gzip", COMPRESSIONS),
    output: values.output,
    cacheDir: values["cache-dir"],
    signal: io.signal,
    onProgress: progress.show,
  }).finally(progress.clear);
  for (const { severity, message } of image.diagnostics) io.stderr.write(`${severity}: ${message}\n`);
  if (values.json === true) {
    io.stdout.write(`${JSON.stringify(image)}\n`);
  } else {
    const { path, size, unpackedSize, sha256, entries } = image;
    io.stdout.write(
      `${path}: ${entries.length} entries, ${size} bytes (${unpackedSize} unpacked)\nsha256 ${sha256}\n`,
    );
  }
  return 0;
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

function count(flag: string, text: string | undefined): number | undefined {
  if (text === undefined || /^\d{1,15}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new UsageError(`${flag} is "${text}", wanted a number`);
}

function choice<T extends string>(flag: string, value: string, choices: readonly T[]): T {
  const found = choices.find((word) => word === value);
  if (found === undefined) throw new UsageError(`${flag} is "${value}", wanted one of ${choices.join(", ")}`);
  return found;
}

/** One line that is rewritten on a terminal; nothing elsewhere, packing takes seconds. */
function progressLine(io: CommandIo): {
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
