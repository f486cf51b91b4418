import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kernelCommandLine } from "../src/bundle/cmdline.ts";
import { presetWishes } from "../src/bundle/presets.ts";
import { loadSpec, parseSpec } from "../src/spec/load.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "appliance-presets-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The problems of a spec with this `kernel`, each line without its file. */
async function problemsOf(kernel: string, more = ""): Promise<string[]> {
  const file = join(directory, "appliance.yaml");
  await writeFile(file, `name: a\nrun: sh\narch: x86_64\nkernel: ${kernel}\n${more}`);
  const message = await loadSpec(file).then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
  return message
    .split("\n")
    .filter((line) => line !== "" && !/^ +\d* \|/.test(line))
    .map((line) => line.replace(/^.*appliance\.yaml:/, ""));
}

test("presets are taken, and tell where they come from", async () => {
  expect(await problemsOf("{ presets: [mitigations=on, kpti=off, thp=always] }")).toEqual([]);
  const { values } = parseSpec("name: a\nrun: sh\nkernel: { presets: [hz=100] }\n");
  expect(values.find(({ key }) => key === "kernel.presets[0]")).toMatchObject({
    value: "hz=100",
    origin: { kind: "spec", line: 3 },
  });
});

test.each([
  ["{ presets: [hz=100, ktpi=off] }", ['4:29: There is no preset "ktpi=off"', '  Did you mean "kpti=off"?']],
  [
    "{ presets: [thp=always, thp=never] }",
    ['4:20: "thp=always" and "thp=never" are positions of one switch', "  Name one of them"],
  ],
  [
    "{ presets: [thp=never], features: [hugepages] }",
    [
      "4:20: Features and presets contradict each other:",
      expect.stringMatching(
        /"TRANSPARENT_HUGEPAGE" is wanted as y by feature "hugepages" .* by preset "thp=never"/,
      ),
    ],
  ],
  [
    "{ presets: [hz=100], config: { HZ_250: y } }",
    ['4:48: "HZ_250" is y here, and n by the preset "hz=100"', "  leave one of them out"],
  ],
  [
    "{ presets: [kpti=on], cmdline: quiet pti=off }",
    ['4:40: "pti=off" is here, and "pti=on" is the preset "kpti=on"\'s', "  leave one of them out"],
  ],
  [
    "{ presets: [mitigations=on], cmdline: mitigations=off spectre_v2=off }",
    [
      '4:47: "mitigations=off" is here, which undoes the preset "mitigations=on"',
      "  leave one of them out",
      '4:47: "spectre_v2=off" is here, which undoes the preset "spectre-v2=on"',
      "  leave one of them out",
    ],
  ],
  ["{ presets: [mitigations=on, kpti=off], cmdline: 'mitigations=auto,nosmt pti=off' }", []],
  [
    "{ presets: [mitigations=on, spectre-v2=off] }",
    [
      '4:20: "retbleed=on", which "mitigations=on" includes, needs "spectre-v2=on", and "spectre-v2=off" is named',
      '  Name "retbleed=off" too',
    ],
  ],
  [
    "{ source: distro, presets: [kpti=off, slab-random=off] }",
    [
      '4:47: "slab-random=off" is decided when a kernel is built, and the distribution\'s is built already',
      "  leave the preset out, or have a kernel built: source: debian",
    ],
  ],
])("one error for %s", async (kernel, lines) => {
  expect(await problemsOf(kernel)).toEqual(lines);
});

test("a setting needs the generated /init", async () => {
  expect(await problemsOf("{ presets: [fault-around=off] }")).toEqual([]);
  expect((await problemsOf("{ presets: [fault-around=off] }", "init: /bin/sh\n"))[0]).toContain(
    '"fault-around=off" is written to /sys/kernel/debug/fault_around_bytes by the generated /init',
  );
});

test("what a preset wants of a boot is on the command line before the spec's own words, and among /init's settings", async () => {
  const kernel = "presets: [kpti=on, spectre-v2=off, fault-around=off], cmdline: quiet";
  const { spec } = parseSpec(`name: a\nrun: sh\narch: x86_64\nkernel: { ${kernel} }\n`);
  const { boot, settings } = await presetWishes(spec);
  expect(kernelCommandLine(spec, boot)).toBe(
    "console=tty0 console=ttyS0 panic=-1 init=/init pti=on spectre_v2=off quiet",
  );
  expect(settings).toEqual([{ path: "/sys/kernel/debug/fault_around_bytes", value: "4096" }]);
  const prebuilt = parseSpec(
    "name: a\nrun: sh\narch: x86_64\nkernel: { source: distro, presets: [lsm=off, thp=never] }\n",
  );
  expect((await presetWishes(prebuilt.spec)).boot).toEqual([
    "lsm=",
    "apparmor=0",
    "transparent_hugepage=never",
  ]);
});
