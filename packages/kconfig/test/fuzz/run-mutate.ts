/**
 * Feeds damaged Kconfig files and configurations to our conf:
 *
 *   node packages/kconfig/test/fuzz/run-mutate.ts --cases N --seed S [--tree DIR] [--jobs N] [--only CASE]
 *
 * With a kernel tree its small Kconfig files are damaged too. Each case has to end with an exit status within two seconds,
 * and errors have to name file and line. Faults are printed, `--only` prints the files of one case, and the command ends
 * with "N cases, F faults".
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { faultOf, mutatedCase, realFiles } from "./mutate.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    tree: { type: "string" },
    jobs: { type: "string", default: String(availableParallelism()) },
    only: { type: "string" },
    share: { type: "string" },
  },
});
const seed = Number(values.seed);

if (values.only === undefined && values.share === undefined)
  process.exitCode = await runShares(Number(values.jobs));
else {
  const real = values.tree === undefined ? [] : realFiles(values.tree);
  if (values.only !== undefined) {
    const one = mutatedCase(seed, Number(values.only), real);
    for (const [name, text] of Object.entries(one.files)) console.log(`--- ${name}\n${text.slice(0, 4000)}`);
    console.log(`generation ${one.generation}, conf ${one.args.join(" ")}: ${faultOf(one) ?? "sound"}`);
  } else {
    const [index = 0, count = 1] = (values.share ?? "").split("/").map(Number);
    runShare(real, index, count);
  }
}

function runShare(real: readonly string[], first: number, step: number): void {
  let cases = 0;
  let faults = 0;
  for (let index = first; index < Number(values.cases); index += step) {
    const fault = faultOf(mutatedCase(seed, index, real));
    cases++;
    if (fault !== undefined) {
      faults++;
      console.log(`seed ${seed}, case ${index}: ${fault}`);
    }
    if (cases % 1000 === 0) process.stderr.write(`${cases} cases, ${faults} faults in process ${first}\n`);
  }
  console.log(`total ${cases} ${faults}`);
}

async function runShares(count: number): Promise<number> {
  const started = Date.now();
  let cases = 0;
  let faults = 0;
  const codes = await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const args = [
        "--max-semi-space-size=64",
        import.meta.filename,
        ...process.argv.slice(2),
        `--share=${index}/${count}`,
      ];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      let rest = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const total = /^total (\d+) (\d+)$/.exec(line);
          if (total === null) console.log(line);
          else {
            cases += Number(total[1]);
            faults += Number(total[2]);
          }
        }
      });
      return new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
    }),
  );
  console.error(`seed ${seed}, ${Math.round((Date.now() - started) / 1000)} s`);
  console.log(`${cases} cases, ${faults} faults`);
  return faults > 0 || codes.some((code) => code !== 0) ? 1 : 0;
}
