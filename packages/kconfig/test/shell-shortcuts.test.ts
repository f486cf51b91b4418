import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startShellPool } from "../src/node/shell-pool.ts";
import { answerWithoutShell, inSharedShell } from "../src/node/shell-shortcuts.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "kconfig-shell-"));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const env = { PATH: process.env["PATH"], CC: "gcc", LD: "ld" };
const ofShell = (command: string): string =>
  spawnSync("/bin/sh", ["-c", command], { cwd, env, stdio: ["ignore", "pipe", "ignore"] }).stdout.toString();
const success = (command: string, yes = "y", no = "n"): string =>
  `{ ${command}; } >/dev/null 2>&1 && echo "${yes}" || echo "${no}"`;

describe("a command is understood only where a shell says the same", () => {
  test.each([
    ["set -- GCC 120200 && echo $1", true],
    ["set -- GCC 120200 && echo $2", true],
    ["set -- GCC 120200 && echo $3", true],
    ["set -- -n && echo $1", false],
    ["set -- a* && echo $1", false],
    ["set --  && echo $1", false],
    [success('test -z ""'), true],
    [success('test -z "GCC 120200"'), true],
    [success('test -z "$PATH"'), false],
    [success('test "GNU" = LLVM'), true],
    [success('test "GNU" = GNU'), true],
    [success('test "-f" = GNU', "n", "y"), true],
    [success('test "" = GNU'), true],
    [success('test "!" = GNU'), false],
    [success("command -v sh", "n", "y"), true],
    [success("command -v no-such-program"), false],
    [success("command -v cd"), false],
    [success("test -e /dev/null"), false],
    ["echo y", false],
  ])("%s", (command, understood) => {
    const answer = answerWithoutShell(command, env.PATH);
    expect(answer !== undefined).toBe(understood);
    if (understood) expect(answer).toBe(ofShell(command));
  });
});

const attempt = (flags: string): string =>
  success(
    `trap "rm -rf .tmp_$$" EXIT; mkdir .tmp_$$; gcc -Werror ${flags} -c -x c /dev/null -o .tmp_$$/tmp.o`,
  );

test("a shell that is shared says what one of its own does, and leaves nothing behind", async () => {
  const commands = [
    [attempt("-O2"), true],
    [attempt("-fno-such-option"), true],
    [attempt("-gsplit-dwarf"), true],
    [attempt("--param no-such-parameter=1"), true],
    [attempt("-DX=$PATH"), false],
    [attempt("-O2; exit"), false],
    [success("gcc -Werror -m64 -E -x c /dev/null -o /dev/null", "-m64", ""), true],
    [success("ld -v --orphan-handling=warn"), true],
    [success("ld -v --no-such-option"), true],
    [success("cd /"), false],
    [success("exit 1"), false],
    ['printf "a\\nb\\n\\n"', false],
    ["echo $((1 + 1)); exit 3", false],
    [success("echo 'int x;' | gcc -x c - -c -o /dev/null"), false],
    ["cat", false],
  ] as const;
  const pool = startShellPool({ env, cwd });
  const answers = await Promise.all(commands.map(async ([command]) => pool.run(command)));
  pool.close();
  for (const [index, [command, shared]] of commands.entries()) {
    expect([command, inSharedShell(command, ["gcc", "ld"]) !== undefined]).toEqual([command, shared]);
    expect([command, answers[index]]).toEqual([command, ofShell(command)]);
  }
  await expect.poll(() => readdirSync(cwd)).toEqual([]);
});
