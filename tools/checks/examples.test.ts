/** Runs each `@example` of the public sources as a module of its own package, and type-checks those marked `no-run`. */
import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { exampleFences } from "../src/fences.ts";
import { root, workspacePackages } from "../src/workspace.ts";

const run = promisify(execFile);
const scratch: string[] = [];
afterAll(() => {
  for (const directory of scratch) rmSync(directory, { recursive: true, force: true });
});

describe.each(workspacePackages())("$folder", ({ directory }) => {
  const found = globSync("src/**/*.ts", { cwd: directory })
    .sort()
    .flatMap((file) =>
      exampleFences(readFileSync(join(directory, file), "utf8")).map((fence) => ({
        fence,
        where: `${relative(root, join(directory, file))}:${fence.line}`,
      })),
    )
    .filter(({ fence }) => /^ts( |$)/.test(fence.info));

  test("each @example holds a fence of TypeScript", () => {
    const tags = globSync("src/**/*.ts", { cwd: directory }).flatMap((file) =>
      [...readFileSync(join(directory, file), "utf8").matchAll(/^ *\* @example/gm)].map(() => file),
    );
    expect(found.length, tags.join(", ")).toBe(tags.length);
  });

  // Inside the package, so that it imports itself and its dependencies by name as a user would.
  const folder = (): string => {
    const made = mkdtempSync(join(directory, ".examples-"));
    scratch.push(made);
    return made;
  };

  test.each(found.length > 0 ? [directory] : [])("the examples have the right types", async () => {
    const made = folder();
    for (const [index, { fence, where }] of found.entries())
      writeFileSync(join(made, `example-${index}.ts`), `// ${where}\nexport {};\n${fence.code}`);
    writeFileSync(
      join(made, "tsconfig.json"),
      JSON.stringify({
        extends: "../../../tsconfig.base.json",
        compilerOptions: { noUnusedLocals: false },
        include: ["*.ts"],
      }),
    );
    await run(join(root, "node_modules/.bin/tsc"), ["-p", made]).catch((error: { stdout: string }) => {
      const names = found.map(({ where }, index) => `example-${index}.ts is ${where}`).join("\n");
      expect.fail(`${error.stdout}\n${names}`);
    });
  });

  test.each(found.filter(({ fence }) => !fence.info.includes("no-run")))("$where runs", async ({ fence }) => {
    const file = join(folder(), "example.ts");
    writeFileSync(file, fence.code);
    await run(process.execPath, [file], { cwd: directory, timeout: 60_000 });
  });
});
