import { expect, test } from "vitest";
import { KconfigError, parseFragment, resolveConfig } from "../src/index.ts";
import type { ConfInvocation, KconfigHost } from "../src/index.ts";

const values = parseFragment("CONFIG_NET=y\n").requests;

// The host is the boundary under test: it records what the engine asks of it. The real conf answers in the tests of
// the package that has a source tree.
function host(
  answer: string,
  files: Readonly<Record<string, string>> = {},
): KconfigHost & { asked: ConfInvocation[] } {
  const asked: ConfInvocation[] = [];
  return {
    asked,
    conf: async (invocation) => {
      asked.push(invocation);
      return answer;
    },
    readFile: async (path) => files[path],
  };
}

test("allnoconfig is asked with the requests as KCONFIG_ALLCONFIG, and the answer proved", async () => {
  const conf = host("# CONFIG_NET is not set\n");
  const resolved = await resolveConfig({ tree: "/t", arch: "x86_64", base: "allnoconfig", values }, conf);
  expect(conf.asked).toEqual([
    { tree: "/t", arch: "x86_64", target: "allnoconfig", input: "CONFIG_NET=y\n" },
  ]);
  expect(resolved.refusals.map(({ symbol }) => symbol)).toEqual(["NET"]);
});

test("tinyconfig puts the tree's own choices before the requests", async () => {
  const conf = host("CONFIG_NET=y\n", {
    "/t/kernel/configs/tiny-base.config": "CONFIG_EMBEDDED=y\n",
    "/t/kernel/configs/tiny.config": "CONFIG_KERNEL_XZ=y",
    "/t/arch/x86/configs/tiny.config": "CONFIG_NOHIGHMEM=y\n",
  });
  const resolved = await resolveConfig({ tree: "/t", arch: "x86_64", base: "tinyconfig", values }, conf);
  expect(conf.asked[0]?.input).toBe(
    "CONFIG_EMBEDDED=y\nCONFIG_KERNEL_XZ=y\nCONFIG_NOHIGHMEM=y\nCONFIG_NET=y\n",
  );
  expect(resolved.refusals).toEqual([]);
});

test("defconfig and a text of one's own are completed by olddefconfig", async () => {
  const conf = host("CONFIG_NET=y\n");
  await resolveConfig({ tree: "/t", arch: "x86_64", base: "defconfig", values }, conf);
  await resolveConfig({ tree: "/t", arch: "x86_64", base: { text: "CONFIG_A=y" }, values }, conf);
  expect(conf.asked.map(({ target }) => target)).toEqual(["defconfig", "olddefconfig", "olddefconfig"]);
  expect(conf.asked[2]?.input).toBe("CONFIG_A=y\nCONFIG_NET=y\n");
});

test("a tree without tiny.config is told", async () => {
  const request = { tree: "/t", arch: "x86_64", base: "tinyconfig", values } as const;
  await expect(resolveConfig(request, host(""))).rejects.toThrow(KconfigError);
});
