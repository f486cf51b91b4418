import {
  buildApplication,
  buildCommand,
  buildRouteMap,
  type Application,
  type ApplicationText,
} from "@stricli/core";
import type { CliContext } from "./context.ts";
import * as flags from "./commands/flags.ts";
import { packageVersion } from "./package-root.ts";

const init = buildCommand({
  loader: async () => (await import("./commands/init.ts")).init,
  parameters: {
    flags: { ...flags.common, directory: flags.directory },
    aliases: {},
    positional: {
      kind: "tuple",
      parameters: [
        { brief: "hello, shell or redis", placeholder: "template", parse: String, default: "hello" },
      ],
    },
  },
  docs: { brief: "Write a spec to start from" },
});

const check = buildCommand({
  loader: async () => (await import("./commands/check.ts")).check,
  parameters: {
    flags: { ...flags.common, ...flags.spec, resolved: flags.resolved },
    positional: flags.where,
  },
  docs: {
    brief: "Check a spec; with --resolved, show every value and where it came from",
    fullDescription:
      "Reads the spec in a file or directory, reports every mistake with its place, and builds nothing.",
  },
});

const build = buildCommand({
  loader: async () => (await import("./commands/build.ts")).build,
  parameters: { flags: { ...flags.common, ...flags.spec, ...flags.building }, positional: flags.where },
  docs: { brief: "Build the kernel and the initramfs" },
});

const run = buildCommand({
  loader: async () => (await import("./commands/run.ts")).run,
  parameters: {
    flags: { ...flags.common, ...flags.spec, ...flags.building, ...flags.machine, ...flags.running },
    positional: flags.where,
    aliases: { v: "verbose", d: "detach" },
  },
  docs: {
    brief: "Build what is missing, boot it and run the program; its exit status becomes ours",
    fullDescription:
      "appliance run SPEC -- ARGV…  runs ARGV in the appliance instead of the program that the spec names.\nThe program's output goes to stdout, byte for byte; progress, messages and the report go to stderr.",
    customUsage: [
      "SPEC",
      { input: "SPEC -- ARGV…", brief: "another program of the appliance" },
      "SPEC --detach",
    ],
  },
});

const shell = buildCommand({
  loader: async () => (await import("./commands/shell.ts")).shell,
  parameters: {
    flags: { ...flags.common, ...flags.spec, ...flags.building, ...flags.machine },
    positional: flags.where,
  },
  docs: { brief: "A terminal inside the appliance, with the first shell that it holds" },
});

const report = buildCommand({
  loader: async () => (await import("./commands/report.ts")).report,
  parameters: {
    flags: { ...flags.common, ...flags.spec, ...flags.machine, fresh: flags.fresh },
    positional: flags.where,
  },
  docs: {
    brief: "What the booted system is made of, beside the distribution's kernel",
    fullDescription: "Uses the records of the last runs; boots once for a record that is missing.",
  },
});

const serve = buildCommand({
  loader: async () => (await import("./commands/serve.ts")).serve,
  parameters: {
    flags: { ...flags.common, ...flags.spec, ...flags.building, ...flags.serving },
    positional: flags.where,
  },
  docs: { brief: "Offer the appliance to other computers by PXE" },
});

const ps = buildCommand({
  loader: async () => (await import("./commands/ps.ts")).ps,
  parameters: { flags: flags.common },
  docs: { brief: "List the appliances that run in the background" },
});

const stop = buildCommand({
  loader: async () => (await import("./commands/stop.ts")).stop,
  parameters: { flags: flags.common, positional: flags.where },
  docs: { brief: "Stop an appliance that runs in the background, by its spec" },
});

/** All commands; their code is loaded only when one of them is used, so that --help is instant. */
export function buildApp(
  text: ApplicationText,
  determineExitCode: (error: unknown) => number,
): Application<CliContext> {
  const root = buildRouteMap<string, CliContext>({
    routes: { init, check, build, run, shell, report, serve, ps, stop },
    docs: { brief: "Builds and boots the smallest Linux that runs one program" },
  });
  return buildApplication(root, {
    name: "appliance",
    versionInfo: { currentVersion: packageVersion },
    determineExitCode,
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: false },
    documentation: {
      caseStyle: "convert-camel-to-kebab",
      disableAnsiColor: true,
      useAliasInUsageLine: false,
      onlyRequiredInUsageLine: true,
    },
    localization: { text },
  });
}
