import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { schemaOf, typesOf } from "../src/index.ts";
import type { ConfigSchema } from "../src/index.ts";
import { loadX86Tree } from "./reference/loaded-tree.ts";
import { smallTree } from "./small-tree.ts";

const tsc = join(import.meta.dirname, "../../../node_modules/.bin/tsc");
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "kconfig-types-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What tsc has to say about a module that uses the declarations. */
async function complaints(name: string, declarations: string, use: string): Promise<string> {
  await writeFile(join(directory, `${name}.ts`), declarations);
  const file = join(directory, `${name}-use.ts`);
  await writeFile(file, use);
  const flags = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--allowImportingTsExtensions"];
  try {
    await promisify(execFile)(tsc, [...flags, "--target", "esnext", "--module", "nodenext", file], {
      cwd: directory,
    });
    return "";
  } catch (error) {
    return (error as { readonly stdout: string }).stdout;
  }
}

test("a symbol's declaration has its type, prompt, help, range and defaults", async () => {
  const text = typesOf(await smallTree());
  expect(text).toContain(`  /**
   * Buffers
   *
   * Range: 1 64
   * Default: 8 if NET
   * Default: 2
   */
  readonly BUFFERS?: number;
`);
  expect(text).toContain("   * The network. *\\/ is no end of a comment.\n   */\n");
  expect(text).not.toContain("A second paragraph");
  expect(text).toContain('  /** TCP */\n  readonly TCP?: "y" | "m" | "n";\n');
  expect(text).toContain('readonly "64BIT"?: "y" | "n";');
  expect(text).toContain("(no prompt: only defaults and other symbols set it)");
  expect(typesOf(await smallTree())).toBe(text);
});

test("tsc takes right values in a spec and refuses wrong ones", async () => {
  const use = `
import type { PrefixedTreeConfig, TreeConfig } from "./small.ts";
const define = (spec: { kernel: { config: Record<string, string | number> } }): unknown => spec;
define({ kernel: { config: { TCP: "m", BUFFERS: 16, BASE: "0x20", NAME: "box", "64BIT": "y" } satisfies TreeConfig } });
export const prefixed: PrefixedTreeConfig = { CONFIG_TCP: "m", CONFIG_64BIT: "n" };
export const wrong: TreeConfig = {
  // @ts-expect-error bool
  NET: "m",
  // @ts-expect-error number
  BUFFERS: "many",
  // @ts-expect-error would be read as 0x16
  BASE: 0x10,
};
// @ts-expect-error no such symbol
export const misspelt: TreeConfig = { NO_SUCH: "y" };
// @ts-expect-error no such symbol
export const unknown: PrefixedTreeConfig = { CONFIG_NO_SUCH: "y" };
`;
  expect(await complaints("small", typesOf(await smallTree()), use)).toBe("");
});

/** As much of JSON Schema as is used here. */
function faults(schema: ConfigSchema, values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const one = schema.properties[name];
    if (one === undefined) return [`${name} is not allowed`];
    const type = typeof value === "number" && Number.isInteger(value) ? "integer" : typeof value;
    const { enum: words, pattern, minimum = -Infinity, maximum = Infinity } = one;
    const fits =
      [one.type].flat().includes(type as "string") &&
      (words === undefined || words.includes(String(value))) &&
      (typeof value !== "number" || (value >= minimum && value <= maximum)) &&
      (pattern === undefined || typeof value !== "string" || new RegExp(pattern).test(value));
    return fits ? [] : [`${name} is wrong`];
  });
}

test("the schema takes right values and refuses wrong ones", async () => {
  const schema = JSON.parse(JSON.stringify(schemaOf(await smallTree()))) as ConfigSchema;
  expect(schema).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Small",
    type: "object",
    additionalProperties: false,
  });
  expect(schema.properties["BUFFERS"]).toEqual({
    type: "integer",
    minimum: 1,
    maximum: 64,
    description: "Buffers\n\nRange: 1 64\nDefault: 8 if NET\nDefault: 2",
  });
  const right = { NET: "y", TCP: "m", BUFFERS: 64, BASE: "0x20", NAME: "box", "64BIT": "n" };
  expect(faults(schema, right)).toEqual([]);
  const wrong = { NET: "m", TCP: "Y", BUFFERS: 65, BASE: "0xg", NAME: 1, CONFIG_NET: "y" };
  expect(faults(schema, wrong)).toHaveLength(6);
});

test("a whole kernel's symbols are valid TypeScript and a schema", { timeout: 300_000 }, async () => {
  const { tree } = await loadX86Tree("6.12");
  const schema = schemaOf(tree);
  expect(Object.keys(schema.properties).length).toBeGreaterThan(15_000);
  expect(faults(schema, { E1000: "m", SMP: "y", LOG_BUF_SHIFT: 14, PHYSICAL_START: "0x200000" })).toEqual([]);
  const use = `
import type { PrefixedTreeConfig, TreeConfig } from "./kernel.ts";
export const config = { E1000: "m", "64BIT": "y", LOG_BUF_SHIFT: 14, PHYSICAL_START: "0x200000" } satisfies TreeConfig;
export const prefixed: PrefixedTreeConfig = { CONFIG_SMP: "y", CONFIG_DEFAULT_HOSTNAME: "box" };
// @ts-expect-error bool
export const wrong: TreeConfig = { SMP: "m" };
`;
  expect(await complaints("kernel", typesOf(tree), use)).toBe("");
});
