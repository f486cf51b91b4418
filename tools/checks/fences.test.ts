import { expect, test } from "vitest";
import { exampleFences, fences } from "../src/fences.ts";

test("fences() finds code with its info string and line", () => {
  expect(fences("a\n```ts\nlet x;\n```\n````md\n```\n````\n")).toEqual([
    { info: "ts", code: "let x;\n", line: 2 },
    { info: "md", code: "```\n", line: 5 },
  ]);
});

test("exampleFences() takes only the fences of comments with @example", () => {
  const source = [
    "/** ```ts",
    " * no",
    " * ``` */",
    "/**",
    " * Does.",
    " * @example",
    " * ```ts",
    " * go();",
    " * ```",
    " */",
  ];
  expect(exampleFences(source.join("\n"))).toEqual([{ info: "ts", code: "go();\n", line: 7 }]);
});
