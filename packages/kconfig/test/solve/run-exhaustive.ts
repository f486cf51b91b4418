/**
 * Generated trees of which all configurations are known, as a command:
 *
 *   node packages/kconfig/test/solve/run-exhaustive.ts [--count 1000] [--seed N]
 */
import { parseArgs } from "node:util";
import { exhaust } from "./exhaustive.ts";

const { values } = parseArgs({
  options: { count: { type: "string", default: "1000" }, seed: { type: "string", default: "20261127" } },
});

let wrong = 0;
for (const generation of [1, 2, 3] as const) {
  const total = { trees: 0, solved: 0, unsolvable: 0 };
  for (let index = 0; index < Number(values.count); index++) {
    const { skipped, solved, unsolvable, faults, files } = await exhaust(
      Number(values.seed),
      index,
      generation,
    );
    if (skipped !== undefined) continue;
    total.trees++;
    total.solved += solved;
    total.unsolvable += unsolvable;
    if (faults.length === 0) continue;
    wrong++;
    console.log(`generation ${generation}, tree ${index}:\n${faults.join("\n")}`);
    for (const [name, lines] of Object.entries(files)) console.log(`--- ${name}\n${lines.join("\n")}`);
  }
  console.log(
    `generation ${generation}: ${total.trees} trees, ${total.solved} questions solved, ${total.unsolvable} cores`,
  );
}
console.log(`${wrong} trees wrong`);
process.exitCode = wrong > 0 ? 1 : 0;
