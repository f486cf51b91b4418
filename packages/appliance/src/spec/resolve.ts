import { basename, isAbsolute, resolve } from "node:path";
import type { CheckedSpec } from "./check.ts";
import { hostArch } from "./host-arch.ts";
import { impliedFeatures, impliedModules, screenFeature } from "./implied.ts";
import { formatPath, SpecError, type SpecProblem } from "./problem.ts";
import type {
  Origin,
  Resolution,
  ResolvedFile,
  ResolvedForward,
  ResolvedKernel,
  ResolvedKernelSource,
  ResolvedNetwork,
  ResolvedProgram,
  ResolvedRun,
  ResolvedValue,
} from "./resolved.ts";
import type { SpecPath, SpecSource } from "./source.ts";
import { splitWords } from "./words.ts";

/** What the command line changes in a spec; each wins over the spec. */
export interface SpecOverrides {
  readonly kernel?: "auto" | "debian" | "kernel.org" | "distro" | undefined;
  readonly memory?: number | undefined;
  readonly cpus?: number | undefined;
  readonly forward?: readonly string[] | undefined;
  /** False: without the spec's own `kernel.defconfig`. */
  readonly defconfig?: false | undefined;
  /** The flag that needs a console on the screen, such as `--film`. */
  readonly screen?: string | undefined;
}

/** The series that is built when a spec names none. */
export const defaultVersion = "6.12";

/** Fills defaults and what follows from other values, and notes for each value where it comes from. */
export function resolveSpec(
  spec: CheckedSpec,
  source: SpecSource,
  overrides: SpecOverrides = {},
): Resolution {
  const values: ResolvedValue[] = [];
  const problems: SpecProblem[] = [];
  const note = <T>(key: string, value: T, origin: Origin): T => {
    values.push({ key, value, origin });
    return value;
  };
  const fromSpec = (path: SpecPath): Origin => ({
    kind: "spec",
    file: source.file,
    line: source.locate(path, "key")?.line,
    key: formatPath(path),
  });
  /** The spec's value if there is one, else the default; noted under its dotted key. */
  const pick = <T>(path: SpecPath, value: T | undefined, fallback: T, why?: string): T =>
    value === undefined
      ? note(formatPath(path), fallback, { kind: "default", why })
      : note(formatPath(path), value, fromSpec(path));
  const here = (path: string): string => (isAbsolute(path) ? path : resolve(source.directory, path));
  const words = (command: string, path: SpecPath): readonly string[] => {
    const split = splitWords(command);
    if ("words" in split) return split.words;
    problems.push({
      path,
      message: `Cannot split ${JSON.stringify(command)} into a program and its arguments: ${split.error}`,
      hint: `write a list, like [sh, -c, ${JSON.stringify(command)}]`,
      location: source.locate(path, "value"),
    });
    return [command];
  };

  const name = pick(["name"], spec.name, "");
  const arch = pick(["arch"], spec.arch, hostArch(), "this machine's");

  const run = resolveRun();
  function resolveRun(): ResolvedRun {
    const written = spec.run;
    const form = typeof written === "string" || Array.isArray(written) ? { argv: written } : written;
    const path: SpecPath = form === written ? ["run", "argv"] : ["run"];
    const argv = note(
      "run.argv",
      typeof form.argv === "string" ? words(form.argv, path) : form.argv,
      fromSpec(path),
    );
    const env: Record<string, string> = {};
    for (const [key, value] of Object.entries(("env" in form ? form.env : undefined) ?? {})) {
      env[key] = note(formatPath(["run", "env", key]), String(value), fromSpec(["run", "env", key]));
    }
    const cwd = pick(["run", "cwd"], "cwd" in form ? form.cwd : undefined, "/");
    return { argv, env, cwd };
  }

  const facets = (spec.facets ?? []).map((facet, index) =>
    note(formatPath(["facets", index]), facet, fromSpec(["facets", index])),
  );
  const programs = resolvePrograms();
  function resolvePrograms(): ResolvedProgram[] {
    const list = (spec.programs ?? []).map((program, index): ResolvedProgram => {
      const key = formatPath(["programs", index]);
      const origin = fromSpec(["programs", index]);
      if (typeof program === "string") return note(key, copy(program, undefined), origin);
      if ("compile" in program) {
        const target = program.target ?? `/bin/${basename(program.compile).replace(/\.c$/, "")}`;
        const flags = program.flags ?? ["-O2"];
        return note(key, { kind: "compile", source: here(program.compile), target, flags }, origin);
      }
      return note(key, copy(program.source, program.target), origin);
    });
    // What `run` names goes in by itself, unless something else in the spec already stands at that place.
    const main = run.argv[0] ?? "";
    const taken = [
      ...list.map((program) => program.target ?? program.source),
      ...Object.keys(spec.files ?? {}),
      ...Object.keys(spec.links ?? {}),
    ];
    const provided = taken.some((path) => path === main || (!main.includes("/") && basename(path) === main));
    if (!provided && main !== "") {
      list.push(
        note(formatPath(["programs", list.length]), copy(main, undefined), { kind: "implied", by: "run" }),
      );
    }
    return list;
  }
  function copy(program: string, target: string | undefined): ResolvedProgram {
    const local = program.startsWith("./") || program.startsWith("../");
    const at = target ?? (local ? `/bin/${basename(program)}` : undefined);
    return {
      kind: "copy",
      source: local ? here(program) : program,
      ...(at === undefined ? {} : { target: at }),
    };
  }

  const files = Object.entries(spec.files ?? {}).map(([target, file]): ResolvedFile => {
    const written = typeof file === "string" ? { content: file } : file;
    if ((written.content === undefined) === (written.source === undefined)) {
      problems.push({
        path: ["files", target],
        message: `File "${target}" needs either "source" or "content"`,
        location: source.locate(["files", target], "key"),
      });
    }
    const resolved: ResolvedFile = {
      target,
      ...(written.content === undefined ? {} : { content: written.content }),
      ...(written.source === undefined ? {} : { source: here(written.source) }),
      ...(written.mode === undefined ? {} : { mode: Number.parseInt(written.mode, 8) }),
    };
    return note(formatPath(["files", target]), resolved, fromSpec(["files", target]));
  });
  const directories = (spec.directories ?? []).map((path, index) =>
    note(formatPath(["directories", index]), path, fromSpec(["directories", index])),
  );
  const links = Object.entries(spec.links ?? {}).map(([target, to]) => {
    note(formatPath(["links", target]), to, fromSpec(["links", target]));
    return { target, to };
  });
  const nodes = Object.entries(spec.nodes ?? {}).map(([target, { mode, ...node }]) =>
    note(
      formatPath(["nodes", target]),
      { target, ...node, mode: Number.parseInt(mode ?? "0600", 8) },
      fromSpec(["nodes", target]),
    ),
  );
  const init = pick(
    ["init"],
    spec.init === undefined ? undefined : here(spec.init),
    null,
    "the generated one",
  );

  const forward = resolveForward();
  function resolveForward(): ResolvedForward[] {
    const fromFlag = overrides.forward !== undefined;
    return (overrides.forward ?? spec.forward ?? []).map((entry, index) => {
      const [host = 0, guest] = String(entry).split(":").map(Number);
      const value = { host, guest: guest ?? host, flexible: guest === undefined || host === 0 };
      const origin: Origin = fromFlag
        ? { kind: "command-line", flag: "--forward" }
        : fromSpec(["forward", index]);
      return note(formatPath(["forward", index]), value, origin);
    });
  }
  const network = resolveNetwork();
  function resolveNetwork(): ResolvedNetwork {
    const written = spec.network;
    if (written === undefined) {
      return forward.length > 0
        ? note("network", { kind: "dhcp" }, { kind: "implied", by: "forward" })
        : note("network", { kind: "none" }, { kind: "default" });
    }
    if (written === "none" && forward.length > 0) {
      problems.push({
        path: ["network"],
        message: 'Ports are forwarded, but "network" is "none"',
        hint: 'leave "network" out, or make it "dhcp"',
        location: source.locate(["network"], "value"),
      });
    }
    const value: ResolvedNetwork =
      typeof written === "string" ? { kind: written } : { kind: "static", ...written };
    return note("network", value, fromSpec(["network"]));
  }

  // Of a kernel that is built already nothing can be chosen; asked for on the command line it is taken as it is.
  function refuseForDistro({ defconfig, config = {}, devices }: NonNullable<CheckedSpec["kernel"]>): void {
    const refuse = (path: SpecPath, hint: string): void => {
      const location = source.locate(path, "key");
      problems.push({
        path,
        message: "The distribution's kernel is configured and built already",
        hint,
        location,
      });
    };
    const leave = (key: string): string => `leave "${key}" out, or have a kernel built: source: debian`;
    const [symbol] = Object.keys(config);
    if (defconfig !== undefined) refuse(["kernel", "defconfig"], leave("defconfig"));
    if (symbol !== undefined) refuse(["kernel", "config", symbol], leave("config"));
    if (devices !== undefined)
      refuse(["kernel", "devices"], "name the drivers' modules under kernel.modules");
  }

  const kernel = resolveKernel();
  function resolveKernel(): ResolvedKernel {
    const written = spec.kernel ?? {};
    const config: Record<string, string> = {};
    const from = resolveSource();
    const compiler = pick(["kernel", "compiler"], written.compiler, "gcc");
    const defconfig = pick(
      ["kernel", "defconfig"],
      from.kind === "distro" || overrides.defconfig === false || written.defconfig === undefined
        ? undefined
        : here(written.defconfig),
      null,
      "all that nobody asks for is off",
    );
    if (from.kind === "distro" && written.source === "distro") refuseForDistro(written);
    const devices = pick(
      ["kernel", "devices"],
      from.kind === "distro" || written.devices === undefined ? undefined : here(written.devices),
      null,
    );
    const features = new Map<string, Origin>();
    // A configuration that was made for this appliance has what it needs.
    const implied = (defconfig === null ? impliedFeatures : () => [])({
      programs,
      network,
      modules: written.modules ?? [],
      cpus: overrides.cpus ?? spec.cpus ?? 1,
      arch,
    });
    for (const { feature, by } of implied) features.set(feature, { kind: "implied", by });
    for (const [index, feature] of (written.features ?? []).entries()) {
      features.set(feature, fromSpec(["kernel", "features", index]));
    }
    const screen = screenFeature(arch);
    if (overrides.screen !== undefined && !features.has(screen))
      features.set(screen, { kind: "command-line", flag: overrides.screen });
    let index = 0;
    for (const [feature, origin] of features)
      note(formatPath(["kernel", "features", index++]), feature, origin);
    // Asked for on the command line, the distribution's kernel is wanted as it is, to compare with.
    const asItIs = overrides.kernel === "distro" && written.source !== "distro";
    const presets = (asItIs ? [] : (written.presets ?? [])).map((preset, at) =>
      note(formatPath(["kernel", "presets", at]), preset, fromSpec(["kernel", "presets", at])),
    );
    for (const [symbol, value] of Object.entries(written.config ?? {})) {
      const path = ["kernel", "config", symbol];
      config[symbol] = note(formatPath(path), String(value), fromSpec(path));
    }
    const modules = (written.modules ?? []).map((module, at) =>
      note(formatPath(["kernel", "modules", at]), module, fromSpec(["kernel", "modules", at])),
    );
    if (from.kind === "distro") {
      for (const { module, by } of impliedModules(features.keys())) {
        if (modules.includes(module)) continue;
        const key = formatPath(["kernel", "modules", modules.length]);
        modules.push(note(key, module, { kind: "implied", by: `the feature ${by}` }));
      }
    }
    const cmdline = pick(["kernel", "cmdline"], written.cmdline, "");
    const chosen = [...features.keys()];
    return {
      source: from,
      compiler,
      features: chosen,
      presets,
      config,
      defconfig,
      devices,
      modules,
      cmdline,
    };

    function resolveSource(): ResolvedKernelSource {
      const version = written.version ?? defaultVersion;
      const named = overrides.kernel ?? written.source ?? "auto";
      const origin: Origin =
        overrides.kernel !== undefined
          ? { kind: "command-line", flag: "--kernel" }
          : written.source === undefined
            ? { kind: "default", why: "Debian's source package where apt offers it, else kernel.org" }
            : fromSpec(["kernel", "source"]);
      let value: ResolvedKernelSource;
      if (typeof named === "object") {
        value =
          "directory" in named
            ? { kind: "directory", path: here(named.directory) }
            : {
                kind: "tarball",
                path: here(named.tarball),
                ...(named.sha256 === undefined ? {} : { sha256: named.sha256 }),
              };
      } else {
        value = named === "distro" ? { kind: "distro" } : { kind: named, version };
      }
      note("kernel.source", value, origin);
      if ("version" in value) {
        note(
          "kernel.version",
          version,
          written.version === undefined ? { kind: "default" } : fromSpec(["kernel", "version"]),
        );
      }
      return value;
    }
  }

  const memory =
    overrides.memory === undefined
      ? pick(["memory"], spec.memory === undefined ? undefined : megabytes(spec.memory), 256)
      : note("memory", overrides.memory, { kind: "command-line", flag: "--memory" });
  const cpus =
    overrides.cpus === undefined
      ? pick(["cpus"], spec.cpus, 1)
      : note("cpus", overrides.cpus, { kind: "command-line", flag: "--cpus" });
  const compression = pick(["compression"], spec.compression, "gzip");
  const test = pick(["test"], spec.test, null, "the program's exit status");
  const report = pick(["report"], spec.report === undefined ? undefined : milliseconds(spec.report), 1000);

  if (problems.length > 0) throw new SpecError(source, problems);
  return {
    spec: {
      name,
      arch,
      kernel,
      programs,
      facets,
      files,
      directories,
      links,
      nodes,
      init,
      run,
      network,
      forward,
      memory,
      cpus,
      compression,
      test,
      report,
    },
    values,
  };
}

/** "1G" in MiB. */
export function megabytes(size: string): number {
  return Number.parseInt(size, 10) * (size.endsWith("G") ? 1024 : 1);
}

/** "500ms", "2s", "1m" or false (0) in milliseconds. */
export function milliseconds(duration: string | false): number {
  if (duration === false) return 0;
  const amount = Number.parseFloat(duration);
  if (duration.endsWith("ms")) return Math.round(amount);
  return Math.round(amount * (duration.endsWith("m") ? 60_000 : 1000));
}
