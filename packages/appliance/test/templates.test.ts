import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parseSpec } from "../src/spec/load.ts";

const templates = new URL("../templates/", import.meta.url);
const examples = new URL("../../../examples/", import.meta.url);

/** An example as the template of somebody who has no checkout. */
function asTemplate(name: string, text: string): string {
  return text
    .replace(/\$schema=\S+/, "$schema=https://unpkg.com/@justenough/appliance/schema/appliance.schema.json")
    .replaceAll(`examples/${name}`, ".");
}

// To bring the templates up to date: UPDATE_TEMPLATES=1 pnpm exec vitest run test/templates.test.ts
test.each(["hello", "redis", "shell"])("the template %s is the example", async (name) => {
  const from = new URL(`${name}/`, examples);
  const to = new URL(`${name}/`, templates);
  const files = (await readdir(from)).toSorted();
  for (const file of files) {
    const text = asTemplate(name, await readFile(new URL(file, from), "utf8"));
    if (process.env["UPDATE_TEMPLATES"] === "1") {
      await mkdir(to, { recursive: true });
      await writeFile(new URL(file, to), text);
    }
    expect(await readFile(new URL(file, to), "utf8")).toBe(text);
  }
  expect((await readdir(to)).toSorted()).toEqual(files);
  expect(parseSpec(await readFile(new URL("appliance.yaml", from), "utf8")).spec.name).toBe(name);
});
