import { basename } from "node:path";

import { buildInitramfs } from "../../build.ts";
import { COMPRESSIONS } from "../../compression.ts";
import type { LayerSpec } from "../../layers/layer-spec.ts";
import type { InitSpec, ProgramSpec } from "../../spec.ts";
import { type CommandIo, parse, UsageError } from "./command-line.ts";
import { choice, CONTENT_FLAGS, progressLine, readContentFlags } from "./content-flags.ts";
import { generatedInit, parseLayer } from "./layer-flags.ts";

/** `initramfs pack`. */
export async function packCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const dashes = args.indexOf("--");
  const own = dashes < 0 ? args : args.slice(0, dashes);
  const run = dashes < 0 ? [] : args.slice(dashes + 1);
  const { values, positionals } = parse(own, {
    ...CONTENT_FLAGS,
    layer: { type: "string", short: "l", multiple: true },
    list: { type: "string", multiple: true },
    platform: { type: "string" },
    "max-layer-bytes": { type: "string" },
    "max-layer-entries": { type: "string" },
    "keep-init": { type: "boolean" },
    "restore-capabilities": { type: "boolean" },
    init: { type: "string" },
    hostname: { type: "string" },
    network: { type: "string" },
  });
  if (positionals.length > 0) {
    throw new UsageError(
      `Unexpected argument "${positionals[0]}"`,
      `For a program to add: --program ${positionals[0]}`,
    );
  }
  if (values.output === undefined) throw new UsageError("pack needs --output FILE");
  const ownInit = values.init === undefined ? values["keep-init"] && "--keep-init" : "--init";
  if (typeof ownInit === "string" && run.length > 0) {
    throw new UsageError(`What follows "--" is for the generated /init, but ${ownInit} was given`);
  }
  const content = readContentFlags(values);
  const layers = [
    ...(await Promise.all((values.layer ?? []).map((text) => parseLayer(text, values.platform)))),
    ...(values.list ?? []).map((source): LayerSpec => ({ kind: "list", source })),
  ];
  const network = choice("--network", values.network ?? "none", ["none", "dhcp"] as const);
  const init = await ((): InitSpec | Promise<InitSpec> => {
    if (values.init !== undefined) return { kind: "file", source: values.init };
    if (values["keep-init"] === true) return { kind: "layer" };
    return generatedInit({ args: run, hostname: values.hostname, network }, layers, content.arch);
  })();
  const progress = progressLine(io);
  const image = await buildInitramfs({
    ...content,
    programs: withRun(content.programs, run[0], layers),
    layers,
    init,
    layerLimits: {
      bytes: count("--max-layer-bytes", values["max-layer-bytes"]),
      entries: count("--max-layer-entries", values["max-layer-entries"]),
    },
    restoreCapabilities: values["restore-capabilities"],
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

/** The program to run. With layers it is one of theirs; what this machine has under that name need not fit them. */
function withRun(
  programs: readonly ProgramSpec[],
  program: string | undefined,
  layers: readonly LayerSpec[],
): readonly ProgramSpec[] {
  // A name without a directory is looked for in the image's PATH, where a program may have been put by any name.
  const named = programs.some(
    ({ source, target = source }) => target === program || basename(target) === program,
  );
  if (program === undefined || named || layers.length > 0) return programs;
  return [...programs, { source: program }];
}

function count(flag: string, text: string | undefined): number | undefined {
  if (text === undefined || /^\d{1,15}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new UsageError(`${flag} is "${text}", wanted a number`);
}
