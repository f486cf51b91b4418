import { readFile, writeFile } from "node:fs/promises";
import { expect, expectTypeOf, test } from "vitest";
import { defineAppliance } from "../src/spec/define.ts";
import { jsonSchema } from "../src/spec/json-schema.ts";
import type { ApplianceSpec } from "../src/spec/schema.ts";

const published = new URL("../schema/appliance.schema.json", import.meta.url);

// To bring the file up to date: UPDATE_SCHEMA=1 pnpm exec vitest run test/schema.test.ts
test("the published JSON Schema is the schema that checks", async () => {
  const text = `${JSON.stringify(jsonSchema(), undefined, 2)}\n`;
  if (process.env["UPDATE_SCHEMA"] === "1") await writeFile(published, text);
  expect(JSON.parse(await readFile(published, "utf8"))).toEqual(JSON.parse(text));
});

test("the JSON Schema refuses unknown keys and requires name and run only", () => {
  expect(jsonSchema()).toMatchObject({ additionalProperties: false, required: ["name", "run"] });
});

test("defineAppliance() types a spec", () => {
  expectTypeOf(defineAppliance({ name: "a", run: ["b"] })).toEqualTypeOf<ApplianceSpec>();
  // @ts-expect-error a key that does not exist
  defineAppliance({ name: "a", run: ["b"], progams: [] });
  // @ts-expect-error a source that does not exist
  defineAppliance({ name: "a", run: ["b"], kernel: { source: "debain" } });
});
