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

const footprint = buildCommand({
  loader: async () => (await import("./commands/footprint.ts")).footprint,
  parameters: {
    flags: { ...flags.common, ...flags.machine, ...flags.tracing },
    positional: flags.where,
  },
  docs: {
    brief: "What the program needs from the kernel, by its code and a traced run, and why",
    fullDescription:
      "Boots the distribution's kernel once, and lists the options that the program's system calls need, with the features that bring them. A run shows what it did: let a server be asked something meanwhile.",
  },
});

const minimize = buildCommand({
  loader: async () => (await import("./commands/minimize.ts")).minimize,
  parameters: {
    flags: {
      ...flags.common,
      ...flags.spec,
      ...flags.building,
      ...flags.minimizing,
      accel: flags.machine.accel,
    },
    positional: flags.where,
    aliases: { o: "output" },
  },
  docs: {
    brief: "Find the smallest kernel with which the appliance still does its job",
    fullDescription:
      "Turns kernel options off, builds, boots, and asks the program, or the spec's own 'test', again and again.\nWhat 'features' and 'config' in the spec name stays. It can be interrupted and goes on when it is started again.\nThe result is a configuration in which each line says why it is there.",
  },
});

const probe = buildCommand({
  loader: async () => (await import("./commands/probe.ts")).probe,
  parameters: { flags: { ...flags.common, here: flags.here }, positional: { kind: "tuple", parameters: [] } },
  docs: {
    brief: "The shell command that lists the devices of the computer that an appliance is for",
    fullDescription:
      'ssh COMPUTER "$(appliance probe)" > devices.txt, and in the spec: kernel: { devices: devices.txt }.\nTheir drivers are built into the kernel then, and the firmware that they load is packed.',
  },
});

const why = buildCommand({
  loader: async () => (await import("./commands/why.ts")).why,
  parameters: {
    flags: { ...flags.common, ...flags.spec },
    positional: {
      kind: "tuple",
      parameters: [
        { brief: "A Kconfig symbol, with or without CONFIG_", placeholder: "symbol", parse: String },
        { brief: "A spec file or its directory", placeholder: "spec", parse: String, default: "." },
      ],
    },
  },
  docs: { brief: "Why a kernel option is on or off" },
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
    routes: { init, check, build, run, shell, report, footprint, minimize, why, probe, serve, ps, stop },
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
