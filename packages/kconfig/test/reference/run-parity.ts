/**
 * The whole comparison with C, as a command: each architecture, each defconfig, all*config, tinyconfig and randconfigs.
 *
 *   node packages/kconfig/test/reference/run-parity.ts [6.1] [6.12] [--tree DIR]… [--arch ARCH] [--case TEXT]
 *
 * `--case` takes only the cases whose name contains a text.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { architectures } from "./architectures.ts";
import { buildConf } from "./c-conf.ts";
import { kernelTree } from "./kernel-tree.ts";
import type { KernelSeries } from "./kernel-tree.ts";
import { casesOf, differences, referenceOf } from "./parity.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tree: { type: "string", multiple: true },
    arch: { type: "string" },
    case: { type: "string", default: "" },
    share: { type: "string" },
  },
});

const trees = [
  ...positionals.map((series) => kernelTree(series as KernelSeries).directory),
  ...(values.tree ?? []),
];
if (values.share === undefined) {
  process.exitCode = await runShares(availableParallelism());
} else {
  const [index = 0, count = 1] = values.share.split("/").map(Number);
  for (const tree of trees) runShare(tree, index, count);
}

function runShare(tree: string, index: number, count: number): void {
  const reference = referenceOf(tree, buildConf(tree));
  let number = 0;
  for (const architecture of architectures(tree)) {
    if (values.arch !== undefined && values.arch !== architecture.arch) continue;
    for (const one of casesOf(tree, architecture)) {
      if (!one.name.includes(values.case) || number++ % count !== index) continue;
      const found = differences(reference, architecture, one);
      const kind = one.name.includes("/") ? "defconfig" : "other";
      console.log(JSON.stringify({ tree, arch: architecture.arch, name: one.name, kind, found }));
    }
  }
}

// Each process has a share of the cases; the lines that they print are summed here.
async function runShares(count: number): Promise<number> {
  for (const tree of trees) buildConf(tree);
  const totals = new Map<string, { same: number; different: number }>();
  const started = Date.now();
  let done = 0;
  const take = (line: string): void => {
    const { tree, arch, name, kind, found } = JSON.parse(line) as {
      tree: string;
      arch: string;
      name: string;
      kind: string;
      found: string[];
    };
    const key = `${tree} ${kind}`;
    const total = totals.get(key) ?? { same: 0, different: 0 };
    totals.set(key, total);
    if (found.length === 0) total.same++;
    else total.different++;
    for (const text of found) console.log(`${arch} ${text}`);
    done++;
    if (done % 50 === 0)
      console.error(`${done} cases, ${Math.round((Date.now() - started) / 1000)} s (at ${arch} ${name})`);
  };
  const codes = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const args = [
        ...process.execArgv,
        import.meta.filename,
        ...process.argv.slice(2),
        `--share=${index}/${count}`,
      ];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      let rest = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) take(line);
      });
      return new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
    }),
  );
  let different = 0;
  for (const [key, total] of totals) {
    console.log(`${key}: ${total.same} identical, ${total.different} different`);
    different += total.different;
  }
  return different > 0 || codes.some((code) => code !== 0) ? 1 : 0;
}
