import { expect, test } from "vitest";
import { KconfigError, loadKconfig, parseAnswers, recordAnswers, recordedHost } from "../src/index.ts";
import { nodeHost } from "../src/node/index.ts";
import { smallHost } from "./small-tree.ts";

const srctree = "/tree";

test("a record answers as the machine did, elsewhere and without its environment", async () => {
  const { readFile } = smallHost();
  using machine = nodeHost({ env: { ...process.env, CC: "gcc" } });
  const recorder = recordAnswers({ ...machine, readFile }, { srctree });
  const there = await loadKconfig({ srctree, host: recorder.host });
  const answers = parseAnswers(JSON.stringify(recorder.answers()));
  expect(Object.keys(answers.commands)).toEqual(["gcc --version | head -n 1", "uname -s"]);
  expect(answers.environment).toEqual({ CC: "gcc" });

  const host = recordedHost({ readFile, env: { CC: "clang" } }, answers, { srctree });
  const here = await loadKconfig({ srctree, host });
  expect(here.value("COMPILER")).toMatch(/^gcc/);
  expect(here.configText()).toBe(there.configText());
});

test("the directory of the tree may be another one", async () => {
  const text = 'config A\n\tstring\n\tdefault "$(shell,ls $(srctree) /tree-2; echo $(srctree)/x)"\n';
  const host = (at: string) =>
    smallHost({
      readFile: (path) => (path === `${at}/Kconfig` ? new TextEncoder().encode(text) : undefined),
      shell: (command) => command.replace(/.*echo /, ""),
    });
  const recorder = recordAnswers(host("/tree"), { srctree: "/tree" });
  await loadKconfig({ srctree: "/tree", host: recorder.host });
  expect(recorder.answers().commands).toEqual({
    "ls $(srctree) /tree-2; echo $(srctree)/x": "$(srctree)/x",
  });
  const moved = recordedHost(host("/m$&ved"), recorder.answers(), { srctree: "/m$&ved" });
  expect((await loadKconfig({ srctree: "/m$&ved", host: moved })).value("A")).toBe("/m$&ved/x");
});

test("a command that is not in the record is an error that names it", async () => {
  const host = recordedHost(smallHost(), { format: 1, environment: {}, commands: {} }, { srctree });
  const error = await loadKconfig({ srctree, host }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(KconfigError);
  expect(error).toMatchObject({ code: "KCONFIG_HOST" });
  expect(String(error)).toContain("no answer for the command: uname -s");
  expect((error as KconfigError).hint).toContain("kconfig record -o FILE");
});

test("a text that is no record is refused", () => {
  expect(() => parseAnswers("{")).toThrow('"answers" is no JSON');
  for (const text of ["null", "[]", '{"format":2}', '{"format":1,"environment":{"A":1},"commands":{}}']) {
    expect(() => parseAnswers(text, { file: "a.json" })).toThrow('"a.json" is no record of answers');
  }
});
