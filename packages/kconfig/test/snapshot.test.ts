import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runConf } from "../src/conf/conf.ts";
import { dialectOf } from "../src/engine/dialect.ts";
import type { LoadRequest } from "../src/engine/load.ts";
import { loadTree } from "../src/engine/load.ts";
import { decodeTree } from "../src/engine/snapshot-decode.ts";
import { encodeTree } from "../src/engine/snapshot-encode.ts";
import { configText } from "../src/engine/write.ts";
import { explain, loadKconfig, typesOf } from "../src/index.ts";
import { nodeHost } from "../src/node/index.ts";
import { cachedLoad } from "../src/node/tree-cache.ts";
import { architectures, confEnvironment } from "./reference/architectures.ts";
import { answersDirectory, cacheDirectory } from "./reference/cache.ts";
import { kernelTree } from "./reference/kernel-tree.ts";
import { keptShell, memoryHost } from "./reference/memory-host.ts";
import { referenceOf } from "./reference/parity.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "kconfig-snapshot-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each(["6.1", "6.12"] as const)(
  "a decoded tree of Linux %s writes what the tree itself writes, also its help",
  { timeout: 300_000 },
  (series) => {
    const tree = kernelTree(series).directory;
    const { dialect, cache } = referenceOf(tree, { program: "conf", popenCache: "" });
    const x86 = architectures(tree).find(({ arch }) => arch === "x86_64");
    if (x86 === undefined) throw new Error("no x86_64");
    const env = confEnvironment(tree, x86);
    const shell = keptShell(answersDirectory(tree, "x86_64"), env);
    const outputs = [false, true].map((decoded) => {
      const host = memoryHost({
        env,
        cache,
        shell,
        files: { ".config": "CONFIG_NET=y\nCONFIG_MODULES=y\n" },
      });
      const begin = (request: LoadRequest) => {
        const loaded = loadTree(request);
        const snapshot = encodeTree(loaded);
        const { output } = request;
        return {
          commands: [],
          finish: () => decodeTree(snapshot.tree, { dialect, output, help: () => snapshot.help }),
        };
      };
      const args = ["--helpnewconfig", "Kconfig"];
      const status = runConf({ args, dialect }, decoded ? { ...host, begin } : host);
      return { status, out: host.stdout(), err: host.stderr() };
    });
    expect(outputs[0]?.out.length).toBeGreaterThan(100_000);
    expect(outputs[1]).toEqual(outputs[0]);
  },
);

test("the library's kept tree tells what one that was just read does", { timeout: 300_000 }, async () => {
  const srctree = kernelTree("6.12").directory;
  const env = confEnvironment(srctree, { arch: "x86_64", folder: "x86", defconfigs: [] });
  using host = nodeHost({
    env: { PATH: process.env["PATH"], ...env },
    answers: join(cacheDirectory, "library"),
  });
  // A host that was made of another one is no longer known to keep trees.
  const read = await loadKconfig({ srctree, host: { ...host } });
  await loadKconfig({ srctree, host });
  const kept = await loadKconfig({ srctree, host });
  expect(typesOf(kept)).toBe(typesOf(read));
  expect(kept.search(/ext4/i)).toEqual(read.search(/ext4/i));
  for (const name of ["EXT4_FS", "KVM_INTEL", "E1000E", "NUMA_BALANCING", "DEBUG_INFO_BTF"]) {
    expect(explain(kept, name, "y")).toEqual(explain(read, name, "y"));
  }
});

test("a kept tree is taken until something that it was made of changes", () => {
  const kconfig = join(directory, "Kconfig");
  writeFileSync(kconfig, 'config A\n\tbool "a"\n\tdefault $(shell,answer)\n$(warning-if,y,said)\n');
  const trees = join(directory, "trees");
  const env: Record<string, string> = {};
  let answer = "y";
  let reads = 0;
  let said = "";
  const load = (): string => {
    const begun = cachedLoad(
      {
        file: "Kconfig",
        directories: [join(directory, "build"), directory],
        dialect: dialectOf(2),
        host: {
          readFile: (path) => {
            if (!existsSync(path)) return undefined;
            reads++;
            return readFileSync(path, "latin1");
          },
          shell: () => answer,
          getenv: (name) => env[name],
        },
        output: {
          out: () => {},
          err: (text) => {
            said += text;
          },
        },
      },
      { directory: trees, recall: () => answer, exists: existsSync },
    );
    const text = configText(begun.finish(), { prefix: "" }).split("\n").slice(4).join("\n");
    return `${text}${reads} ${said}`;
  };
  expect(load()).toBe("A=y\n1 Kconfig:4: said\n");
  expect(load()).toBe("A=y\n1 Kconfig:4: said\nKconfig:4: said\n");
  answer = "n";
  expect(load()).toMatch(/^# A is not set\n2 /);
  const { mtime } = statSync(kconfig);
  writeFileSync(kconfig, 'config A\n\tbool "a"\n\tdefault $(shell,answer)\nconfig BB\n\tdef_bool y\n', {
    flag: "w",
  });
  expect(load()).toMatch(/^# A is not set\nBB=y\n3 /);
  expect(statSync(kconfig).mtime).not.toEqual(mtime);
  rmSync(kconfig);
  expect(load).toThrow("can't find file Kconfig");
});
