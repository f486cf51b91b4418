import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { composeFeatures, configureKernel, listPresets, provePresets, selectPresets } from "../src/index.ts";
import { DEBIAN } from "./support/debian.ts";

const names = (chosen: readonly string[]): string[] =>
  selectPresets(chosen, "x86_64").map(({ name }) => name);

test("a preset is a file that is named after it, says why, and can be proved", () => {
  for (const { name, why, proofs, fragment } of listPresets()) {
    expect(fragment.file).toBe(`presets/${name.replace("=", ".")}.config`);
    expect(why, name).toMatch(/^[^A-Z].{20,}[^.]$/);
    expect(proofs.length, name).toBeGreaterThan(0);
    for (const request of fragment.requests) expect(request.origin).toBe(`preset "${name}"`);
  }
});

test("every switch has two positions at least, on the same architectures, and what they include exists", () => {
  const switches = Map.groupBy(listPresets(), ({ name }) => name.replace(/=.*/, ""));
  expect(switches.size).toBeGreaterThan(15);
  for (const [name, positions] of switches) {
    expect(positions.length, name).toBeGreaterThan(1);
    expect(new Set(positions.map(({ arch }) => arch.join(" "))).size, name).toBe(1);
    for (const preset of positions) expect(() => selectPresets([preset.name], preset.arch[0]!)).not.toThrow();
  }
});

test("what a preset includes comes with it, unless another position of that switch is named", () => {
  expect(names(["mitigations=on"])).toEqual(["mitigations=on", "kpti=auto", "spectre-v2=on", "retbleed=on"]);
  expect(names(["mitigations=on", "kpti=off"])).toEqual([
    "mitigations=on",
    "kpti=off",
    "spectre-v2=on",
    "retbleed=on",
  ]);
});

test("what a preset needs cannot be named otherwise beside it, and the error says what to name", () => {
  const refused = (...chosen: string[]): unknown => {
    try {
      return names(chosen);
    } catch (error) {
      return [(error as Error).message, (error as { hint?: string }).hint];
    }
  };
  expect(refused("mitigations=on", "spectre-v2=off")).toEqual([
    '"retbleed=on", which "mitigations=on" includes, needs "spectre-v2=on", and "spectre-v2=off" is named',
    'Name "retbleed=off" too',
  ]);
  expect(refused("spectre-v2=off", "retbleed=on")).toEqual([
    '"retbleed=on" needs "spectre-v2=on", and "spectre-v2=off" is named',
    "Leave one of them out",
  ]);
  expect(refused("mitigations=on", "spectre-v2=off", "retbleed=off")).toHaveLength(4);
});

test.each([
  ["ktpi=off", 'There is no preset "ktpi=off"', 'Did you mean "kpti=off"?'],
  ["thp", 'There is no preset "thp"', "Its positions are thp=always, thp=madvise, thp=never"],
  ["no-such-thing", 'There is no preset "no-such-thing"', '"kbuild presets" lists them'],
])("%s is told with what was meant", (name, message, hint) => {
  expect(() => selectPresets([name], "x86_64")).toThrow(
    expect.objectContaining({ code: "KERNEL_PRESET", message, hint }),
  );
});

test("positions of one switch, and presets of other architectures, are refused", () => {
  expect(() => selectPresets(["thp=never", "thp=always"], "x86_64")).toThrow(
    '"thp=never" and "thp=always" are positions of one switch',
  );
  expect(() => selectPresets(["kpti=off"], "arm64")).toThrow("does not exist on arm64");
});

test("a preset and a feature that contradict each other are one error, with both places", () => {
  expect(() => composeFeatures(["hugepages"], { arch: "x86_64", presets: ["thp=never"] })).toThrow(
    /^Features and presets contradict each other:\n {2}"TRANSPARENT_HUGEPAGE" is wanted as y by feature "hugepages" \(features\/hugepages\.config:\d+:1\) and as n by preset "thp=never" \(presets\/thp\.never\.config:\d+:3\)$/,
  );
  expect(() => composeFeatures([], { arch: "x86_64", presets: ["mitigations=off", "kpti=on"] })).toThrow(
    '"CPU_MITIGATIONS" is wanted as n by preset "mitigations=off"',
  );
});

test("symbols of the user may repeat a preset, and not contradict it", async () => {
  const wanted = { source: DEBIAN, presets: ["hz=100", "hardened-usercopy=on", "audit=on"] };
  await expect(
    configureKernel({ ...wanted, config: { HZ_250: "y" }, origin: "kernel.config in appliance.yaml" }),
  ).rejects.toMatchObject({
    code: "KERNEL_PRESET",
    message: expect.stringMatching(
      /"HZ_250" is wanted as n by preset "hz=100" \(.*\) and as y by kernel\.config in appliance\.yaml/,
    ) as string,
  });
  const { config, presets, boot } = await configureKernel({ ...wanted, config: { HZ_100: "y" } });
  expect(config.values.get("HZ")?.text).toBe("100");
  expect(config.values.get("HARDENED_USERCOPY")?.text).toBe("y");
  expect(presets).toEqual(wanted.presets);
  expect(boot).toEqual(["audit=1"]);
});

test("proofs are tried on what a system shows: its own switch and no other", async () => {
  const [cgroups, thp, log] = await provePresets(
    selectPresets(["memcg=on", "thp=never", "audit=off"], "x86_64").flatMap(({ proofs }) => proofs),
    async (subject) =>
      subject === "/proc/cgroups"
        ? readFileSync(new URL("fixtures/cgroups", import.meta.url), "utf8")
        : undefined,
  );
  expect(cgroups).toMatchObject({ preset: "memcg=on", holds: true, line: "memory\t0\t1\t1" });
  expect(thp).toMatchObject({ preset: "thp=never", holds: true, line: undefined });
  // A log that could not be read lacks nothing.
  expect(log).toMatchObject({ preset: "audit=off", wanted: "lacks", holds: false });
});
