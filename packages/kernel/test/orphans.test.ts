import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { waitForOrphans } from "../src/internal/orphans.ts";
import { scratchDirectory } from "./support/real-source.ts";

test("a build waits for what a killed one left running in its directory", async () => {
  const directory = join(await scratchDirectory(), "objects");
  await waitForOrphans(directory, undefined);
  const from = (name: string): string =>
    JSON.stringify(new URL(`../src/internal/${name}`, import.meta.url).href);
  // As make does: it starts others, and is gone before they are.
  const shell = `(sleep 2; echo done > ${directory}/late) & echo begun > ${directory}/begun`;
  const script = `import { heldBy } from ${from("orphans.ts")};
    import { run } from ${from("process.ts")};
    await run(heldBy(${JSON.stringify(directory)}, { file: "sh", args: ["-c", ${JSON.stringify(shell)}] }));`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: "inherit",
  });
  while ((await readFile(join(directory, "begun"), "utf8").catch(() => "")) === "") await sleep(20);
  child.kill("SIGKILL");
  expect(await readFile(join(directory, "late"), "utf8").catch(() => "")).toBe("");
  await waitForOrphans(directory, undefined);
  expect(await readFile(join(directory, "late"), "utf8")).toBe("done\n");
});
