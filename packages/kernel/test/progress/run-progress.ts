/**
 * Compares the number of objects that a build announces with the number that make compiles, for kernels that would take
 * hours: a stub takes the compiler's place, so that all of Kbuild runs and nearly nothing is compiled.
 *
 *     node packages/kernel/test/progress/run-progress.ts [KERNEL…]
 *
 * KERNEL is tiny, redis or defconfig, with an architecture and a series: `defconfig:arm64:6.1`. What make cannot do with
 * empty objects, the last link and what follows from it, is left out on both sides.
 */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ARCHES, archFacts } from "../../src/arch.ts";
import type { Arch } from "../../src/arch.ts";
import { cachedTree, configurePlan, planConfiguration } from "../../src/configure.ts";
import type { KernelConfiguration } from "../../src/configure.ts";
import { defaultFeatures } from "../../src/index.ts";
import type { KernelProgress } from "../../src/index.ts";
import { compileKernel } from "../../src/internal/compile.ts";
import { plannedObjects } from "../../src/internal/plan-objects.ts";

const STUB = join(import.meta.dirname, "stub-cc");
const FLAGS: Readonly<Record<Arch, readonly string[]>> = {
  x86_64: [],
  arm64: [],
  riscv64: ["-march=rv64imac", "-mabi=lp64"],
};

// Compiled when vmlinux is there, which is not so here.
const AFTER_LINK = /^arch\/\w+\/boot\//;

function kernel(name: string, arch: Arch): Omit<KernelConfiguration, "source"> {
  if (name === "defconfig") return { arch, base: "defconfig", features: [] };
  const server = name === "redis" ? ["net", "ptys", "virtio-net"] : [];
  return { arch, features: [...defaultFeatures(arch), ...server] };
}

async function measure(words: string): Promise<boolean> {
  const [name = "", arch = "x86_64", series = "6.12"] = words.split(":");
  const known = ARCHES.find((one) => one === arch);
  if (known === undefined || !["tiny", "redis", "defconfig"].includes(name)) throw new Error(`"${words}"?`);
  const plan = await planConfiguration({ source: { kind: "debian", series }, ...kernel(name, known) }, {});
  const scratch = await mkdtemp(join(tmpdir(), "kernel-progress-"));
  try {
    const empty = join(scratch, "empty");
    await writeFile(`${empty}.s`, '.section .modinfo,"a"\n.asciz "license=GPL"\n');
    const compiler = `${plan.compiler.prefix}gcc`;
    execFileSync(compiler, [...FLAGS[known], "-c", `${empty}.s`, "-o", `${empty}.o`]);
    const objects = join(scratch, "objects");
    await mkdir(objects);
    let announced: number | undefined;
    const compiled = new Set<string>();
    const onProgress = ({ phase, total, message }: KernelProgress): void => {
      if (phase !== "compile") return;
      announced ??= total;
      if (message?.endsWith(".o") === true) compiled.add(message);
    };
    const env = { REAL_CC: compiler, EMPTY_OBJECT: `${empty}.o` };
    const tree = await cachedTree(plan.source, {});
    const build = { plan, tree, objects, configured: await configurePlan(plan, {}) };
    const failed = await compileKernel(build, {
      ccache: false,
      onProgress,
      wrap: (command) => ({
        ...command,
        args: [...command.args, "-k", `CC=${STUB}`, "KBUILD_MODPOST_WARN=1", "objtool=true"],
        env: { ...command.env, ...env },
      }),
    }).then(
      () => "",
      (error: Error) => error.message.split("\n")[0] ?? "",
    );
    const planned = [...(await plannedObjects(tree, objects, archFacts(known), undefined))];
    const after = planned.filter((object) => AFTER_LINK.test(object) && !compiled.has(object)).length;
    const expected = (announced ?? 0) - after;
    if (process.env["VERBOSE"] === "1") {
      const missed = [...compiled].filter((object) => !planned.includes(object));
      console.log("not compiled:", planned.filter((object) => !compiled.has(object)).join(" "));
      console.log("not planned:", missed.join(" "), `\n${failed}`);
    }
    const off = (100 * Math.abs(expected - compiled.size)) / compiled.size;
    const beside = after > 0 ? `, ${after} of them for after the link` : "";
    console.log(
      `${words}: ${announced} announced${beside}, ${compiled.size} compiled, ${off.toFixed(2)} % off`,
    );
    return off <= 3;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const kernels = process.argv.slice(2);
let right = true;
for (const words of kernels.length > 0 ? kernels : ["tiny", "redis", "defconfig"]) {
  right = (await measure(words)) && right;
}
process.exitCode = right ? 0 : 1;
