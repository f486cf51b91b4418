/**
 * Builds few kernels that have every preset for x86_64 between them, boots each, and looks in the guest and beside the
 * kernel for what is to prove each preset:
 *
 *   node e2e/soak/run-presets.ts 6.12 | 6.1 | distro [SETS]
 *
 * Two kernels have nearly all, on in one and off in the other; SETS is how many are looked at.
 * "distro" boots the distribution's kernel with the parameters that do the same there; what only a build shows is left out.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeCpio } from "@justenough/cpio";
import {
  buildKernel,
  composeFeatures,
  defaultFeatures,
  distroKernel,
  listPresets,
  provePresets,
  selectPresets,
} from "@justenough/kernel";
import type { Preset } from "@justenough/kernel";
import { agentSegment, launch } from "@justenough/qemu";

const arch = "x86_64";
const features = [...defaultFeatures(), "net"];
const [series = "6.12", sets = "9"] = process.argv.slice(2);

let wrong = 0;
let tried = 0;
for (const names of fewestSets().slice(0, Number(sets))) {
  const presets = selectPresets(names, arch);
  console.log(`\n${presets.map(({ name }) => name).join(" ")}`);
  const { image, systemMap } = series === "distro" ? await distribution() : await build(names);
  const cmdline = presets.flatMap((one) => (series === "distro" ? (one.prebuilt ?? []) : one.boot));
  await prove(presets, image, systemMap, cmdline.join(" "));
}
console.log(`\n${tried} proofs, ${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;

/** Each preset goes into the first set that it does not contradict; what is on comes first, what is off second. */
function fewestSets(): string[][] {
  const order = ["on", "always", "full", "1000", "off", "never", "none", "100"];
  const place = (name: string): number =>
    (order.indexOf(name.replace(/.*=/, "")) + order.length + 1) % (order.length + 1);
  const all = listPresets().filter(
    (preset) =>
      preset.arch.includes(arch) &&
      (series !== "distro" || preset.prebuilt !== undefined || preset.write !== undefined),
  );
  const sets: string[][] = [];
  for (const { name } of all.toSorted((a, b) => place(a.name) - place(b.name))) {
    const set = sets.find((names) => agree([...names, name]));
    if (set === undefined) sets.push([name]);
    else set.push(name);
  }
  return sets;
}

function agree(presets: readonly string[]): boolean {
  try {
    composeFeatures(features, { arch, presets });
    return true;
  } catch {
    return false;
  }
}

async function build(presets: readonly string[]): Promise<{ image: string; systemMap: string }> {
  let last = -1;
  const kernel = await buildKernel({
    source: { kind: "debian", series },
    arch,
    features,
    presets,
    onProgress: ({ phase, done, total }) => {
      const part = Math.floor(done / 200);
      if (part !== last) console.error(`${phase} ${done} of ${total ?? "?"}`);
      last = part;
    },
  });
  return { image: kernel.image, systemMap: await readFile(join(kernel.image, "../System.map"), "utf8") };
}

async function distribution(): Promise<{ image: string; systemMap: undefined }> {
  return { image: (await distroKernel({ arch })).image, systemMap: undefined };
}

async function prove(
  presets: readonly Preset[],
  image: string,
  systemMap: string | undefined,
  boot: string,
): Promise<void> {
  const archive = encodeCpio([
    { type: "file", name: "busybox", mode: 0o755, data: await readFile("/bin/busybox") },
  ]);
  await using vm = await launch(
    {
      kernel: image,
      initrd: [archive, await agentSegment()],
      cmdline: `console=ttyS0 quiet rdinit=/agent ${boot}`,
      ports: ["agent"],
      memory: 512,
    },
    { deadlines: { total: 300_000 } },
  );
  const agent = await vm.agent();
  const output = async (...argv: string[]): Promise<string | undefined> => {
    const { code, stdout } = await agent.exec(["/busybox", ...argv]);
    return code === 0 ? Buffer.from(stdout).toString() : undefined;
  };
  await output("mount", "-t", "debugfs", "debugfs", "/sys/kernel/debug");
  for (const { write } of presets) {
    if (write !== undefined) await agent.writeFile(write.path, write.value);
  }
  const proofs = presets
    .flatMap((preset) => preset.proofs)
    .filter(({ subject }) => subject !== "System.map" || systemMap !== undefined);
  const findings = await provePresets(proofs, async (subject) => {
    if (subject === "System.map") return systemMap;
    return subject === "dmesg" ? output("dmesg") : output("cat", subject);
  });
  for (const { preset, subject, wanted, pattern, holds, line } of findings) {
    tried += 1;
    if (!holds) wrong += 1;
    const saw = line === undefined ? "" : `: ${line.trim()}`;
    console.log(`${holds ? "ok   " : "WRONG"} ${preset}: ${subject} ${wanted} ${pattern.source}${saw}`);
  }
  console.log(`      ${((await output("cat", "/proc/cmdline")) ?? "").trim()}`);
  await agent.poweroff();
  await vm.wait();
}
