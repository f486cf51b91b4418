import { ARCHES } from "../arch.ts";
import type { CommandContext } from "../command.ts";
import type { KernelConfiguration } from "../configure.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { defaultFeatures } from "../feature.ts";
import { defaultSource } from "../source.ts";
import type { KernelSource } from "../source.ts";
import type { CliArgs } from "./cli-args.ts";
import { oneOf } from "./cli-io.ts";
import type { CompileHelpers } from "./compile-help.ts";
import { readSource } from "./source-argument.ts";

/** The kernel that the options of a command line ask for. */
export async function configuration(
  { args }: CommandContext,
  context: KernelContext,
): Promise<KernelConfiguration> {
  const config: Record<string, string> = {};
  for (const setting of args.list("set")) {
    const at = setting.indexOf("=");
    if (at < 1) throw new KernelError("KERNEL_USAGE", `"--set ${setting}" is not of the form SYMBOL=VALUE`);
    config[setting.slice(0, at)] = setting.slice(at + 1);
  }
  const base = oneOf(args, "base", ["allnoconfig", "tinyconfig", "defconfig"]);
  const arch = oneOf(args, "arch", ARCHES);
  const compiler = oneOf(args, "compiler", ["gcc", "clang"]);
  const defaults = args.flag("no-default-features") ? [] : defaultFeatures(arch);
  const source = await sourceOf(args, context);
  const features = [...defaults, ...args.list("feature")];
  const presets = args.list("preset");
  const stripModules = args.flag("strip-modules");
  return { source, arch, compiler, base, config, origin: "--set", features, presets, stripModules };
}

/** The source that the options of a command line name. */
export async function sourceOf(args: CliArgs, context: KernelContext): Promise<KernelSource> {
  const given = args.text("source");
  const found =
    given === undefined
      ? await defaultSource(context)
      : await readSource(given, {
          mirror: args.text("mirror"),
          keyring: args.text("keyring"),
          sha256: args.text("sha256"),
        });
  return { ...found, patches: args.list("patch") };
}

/** How many compilers may run at once. */
export function jobs({ args }: CommandContext): number | undefined {
  const text = args.text("jobs");
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new KernelError("KERNEL_USAGE", `"--jobs ${text}" is no positive whole number`);
}

/** Who helps to compile. */
export function helpers({ args }: CommandContext): CompileHelpers {
  return {
    ccache: !args.flag("no-ccache"),
    remoteCache: args.text("remote-cache"),
    distcc: args.list("distcc"),
    icecream: args.flag("icecream"),
  };
}
