import { mergeRequests } from "@justenough/kconfig";
import type { ConfigRequest, Fragment } from "@justenough/kconfig";
import type { Arch } from "./arch.ts";
import { KernelError } from "./errors.ts";
import { appliesTo, archesOf, headerWords, readFragments } from "./fragment-files.ts";
import { nearest } from "./internal/nearest.ts";
import { proofsOf } from "./preset-proof.ts";
import type { PresetProof } from "./preset-proof.ts";

/**
 * One position of a switch that is known to change what the kernel costs, as data: symbols, and what they need on the
 * command line. `kpti=on` and `kpti=off` are two presets, so that an experiment has both arms.
 */
export interface Preset {
  /** `SWITCH=POSITION`. */
  readonly name: string;
  /** What it does and who pays, in one line. */
  readonly why: string;
  /** The architectures that it exists for. */
  readonly arch: readonly Arch[];
  /** Positions of other switches that come with it, unless those switches are named too. */
  readonly includes: readonly string[];
  /** Of these the ones without which it cannot be, so that no other position of their switches can be named beside it. */
  readonly needs: readonly string[];
  /** Parameters for the kernel's command line that the symbols alone do not decide. */
  readonly boot: readonly string[];
  /** Parameters that do the same to a kernel that somebody else built; undefined: only a build can, or {@link write}. */
  readonly prebuilt: readonly string[] | undefined;
  /** What is to be written to a file of the running kernel, before the program starts. */
  readonly write: { readonly path: string; readonly value: string } | undefined;
  /** What shows in a kernel that was built and booted so that it took effect. */
  readonly proofs: readonly PresetProof[];
  readonly fragment: Fragment;
}

let presets: ReadonlyMap<string, Preset> | undefined;

/**
 * All presets, by name.
 *
 * @example
 * ```ts
 * import { listPresets } from "@justenough/kernel";
 * for (const { name, why } of listPresets()) console.log(name, why);
 * ```
 */
export function listPresets(): Preset[] {
  presets ??= new Map(
    readFragments("presets", originOf)
      .map(read)
      .map((preset) => [preset.name, preset]),
  );
  return [...presets.values()];
}

/**
 * The presets of these names, and those that they include.
 *
 * @throws KernelError KERNEL_PRESET for a name that does not exist, also not on this architecture, for two positions
 * of one switch, and for one that needs another position than the one that is named.
 * @example
 * ```ts
 * import { selectPresets } from "@justenough/kernel";
 * const names = selectPresets(["mitigations=on", "kpti=off"], "x86_64").map(({ name }) => name);
 * console.log(names); // [ "mitigations=on", "kpti=off", "spectre-v2=on", "retbleed=on" ]
 * ```
 */
export function selectPresets(names: readonly string[], arch: Arch): Preset[] {
  const chosen = new Map<string, Preset>();
  for (const name of names) {
    const preset = findPreset(name, arch);
    const before = chosen.get(switchOf(name));
    if (before !== undefined && before !== preset) {
      throw new KernelError("KERNEL_PRESET", `"${before.name}" and "${name}" are positions of one switch`, {
        hint: "Name one of them",
      });
    }
    chosen.set(switchOf(name), preset);
  }
  // A list that grows: what is included may include more.
  const by = new Map<Preset, Preset>();
  const list = [...chosen.values()];
  for (const one of list) {
    for (const name of one.includes) {
      if (chosen.has(switchOf(name))) continue;
      const preset = findPreset(name, arch);
      chosen.set(switchOf(name), preset);
      by.set(preset, one);
      list.push(preset);
    }
  }
  for (const one of list) {
    for (const need of one.needs) {
      const other = chosen.get(switchOf(need));
      if (other?.name !== need) throw needError(one, need, { other, by: by.get(one) });
    }
  }
  return list;
}

function needError(
  { name }: Preset,
  need: string,
  { other, by }: { readonly other: Preset | undefined; readonly by: Preset | undefined },
): KernelError {
  const where = by === undefined ? "" : `, which "${by.name}" includes,`;
  const rest = listPresets().filter((one) => one.name !== name && switchOf(one.name) === switchOf(name));
  return new KernelError(
    "KERNEL_PRESET",
    `"${name}"${where} needs "${need}", and "${other?.name ?? ""}" is named`,
    {
      hint:
        by === undefined
          ? "Leave one of them out"
          : `Name ${rest.map((one) => `"${one.name}"`).join(" or ")} too`,
    },
  );
}

/**
 * Compares presets with what a user asks for by symbols, which may say the same but not the opposite.
 *
 * @throws KernelError KERNEL_PRESET that names both sides of each contradiction.
 */
export function checkPresets(
  chosen: readonly Preset[],
  user: readonly ConfigRequest[],
  version?: string,
): void {
  const requests = chosen
    .flatMap(({ fragment }) => fragment.requests)
    .filter((request) => appliesTo(request, version));
  const { conflicts } = mergeRequests([...requests, ...user]);
  if (conflicts.length === 0) return;
  const lines = conflicts.map(({ message }) => message);
  throw new KernelError("KERNEL_PRESET", `Presets and symbols contradict each other: ${lines.join("; ")}`, {
    hint: "Leave one of them out; where no preset fits, symbols alone say what is wanted",
  });
}

function findPreset(name: string, arch: Arch): Preset {
  const all = listPresets();
  const found = all.find((preset) => preset.name === name);
  if (found === undefined) {
    const positions = all.map((preset) => preset.name).filter((one) => switchOf(one) === name);
    const near = nearest(
      name,
      all.map((preset) => preset.name),
    );
    throw new KernelError("KERNEL_PRESET", `There is no preset "${name}"`, {
      hint:
        positions.length > 0
          ? `Its positions are ${positions.join(", ")}`
          : near === undefined
            ? '"kbuild presets" lists them'
            : `Did you mean "${near}"?`,
    });
  }
  if (!found.arch.includes(arch)) {
    throw new KernelError("KERNEL_PRESET", `The preset "${name}" does not exist on ${arch}`);
  }
  return found;
}

function switchOf(name: string): string {
  return name.replace(/=.*/, "");
}

// presets/kpti.off.config
function originOf(file: string): string {
  return `preset "${file.replace(/\.config$/, "").replace(".", "=")}"`;
}

function read(fragment: Fragment): Preset {
  const { header, file } = fragment;
  const name = header.get("preset");
  const why = header.get("why");
  if (name === undefined || why === undefined) {
    throw new KernelError("KERNEL_PRESET", `${file} has no "# preset:" or no "# why:"`);
  }
  const needs = headerWords(fragment, "needs");
  const [, path, value] = /^(\S+) (.+)$/.exec(header.get("write") ?? "") ?? [];
  return {
    name,
    why,
    arch: archesOf(fragment),
    includes: [...needs, ...headerWords(fragment, "includes")],
    needs,
    boot: headerWords(fragment, "boot"),
    prebuilt: header.has("prebuilt") ? headerWords(fragment, "prebuilt") : undefined,
    write: path === undefined || value === undefined ? undefined : { path, value },
    proofs: proofsOf(fragment, name),
    fragment,
  };
}
