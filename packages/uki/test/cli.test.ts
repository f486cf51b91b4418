import { execFile } from "node:child_process";
import { lstat, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { craftBzImage, craftPe, text } from "./support/craft-pe.ts";

const exec = promisify(execFile);
const cli = join(import.meta.dirname, "../src/cli.ts");
let scratch: string;
let image: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "uki-test-"));
  await file("kernel", craftBzImage("6.1.0-test"));
  await file("stub", craftPe());
  await file("a.cpio", text("12345"));
  await file("b.cpio", text("678"));
  await file("os-release", text('ID=x\nPRETTY_NAME="\u001b[31mred"\n'));
  await file("tree.dtb", text("tree"));
  image = join(scratch, "image.efi");
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function file(name: string, content: Uint8Array): Promise<void> {
  await writeFile(join(scratch, name), content);
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function uki(...args: string[]): Promise<Outcome> {
  return exec(process.execPath, [cli, ...args], { cwd: scratch, encoding: "latin1" }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Outcome) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
  );
}

test("build, show and extract", async () => {
  const made = await uki(
    ...["build", "--kernel", "kernel", "--initrd", "a.cpio", "--initrd", "b.cpio", "--cmdline", "quiet"],
    ...["--stub", "stub", "--os-release", "os-release", "--section", ".dtb=tree.dtb", "-o", "image.efi"],
  );
  expect(made).toEqual({ code: 0, stdout: "", stderr: "" });
  const shown = await uki("show", "image.efi");
  expect(shown.stdout).toContain(
    [
      "machine  x64",
      "stub     systemd-stub 999",
      "name     \\x1b[31mred",
      "kernel   6.1.0-test",
      "cmdline  quiet",
      "signed   no",
    ].join("\n"),
  );
  expect(shown.stdout).toMatch(/^\.initrd {2} +11 +0x[0-9a-f]+ +0x[0-9a-f]+$/m);
  const json: unknown = JSON.parse((await uki("show", "image.efi", "--json")).stdout);
  expect(json).toMatchObject({ machine: "x64", uname: "6.1.0-test", cmdline: "quiet" });
  expect((await uki("extract", "image.efi", ".initrd")).stdout).toBe("12345\0\0\u0000678");
  expect((await uki("extract", "image.efi", ".linux", "--output", "out")).code).toBe(0);
  expect((await readFile(join(scratch, "out"))).equals(await readFile(join(scratch, "kernel")))).toBe(true);
  expect((await readFile(image)).length).toBeGreaterThan(0);
});

describe("mistakes", () => {
  test.each<[string, string[], number, string, string]>([
    ["no command", [], 2, "There is no command", "See uki --help"],
    ["an unknown command", ["biuld"], 2, 'Unknown command "biuld"', "Did you mean build?"],
    [
      "an unknown option",
      ["build", "--kernal", "x"],
      2,
      'Unknown option "--kernal"',
      "Did you mean --kernel?",
    ],
    ["an option of another command", ["show", "x", "--stub", "y"], 2, 'Unknown option "--stub"', "See uki"],
    ["no kernel", ["build"], 2, '"--kernel" is missing', "See uki --help"],
    ["no output", ["build", "--kernel", "kernel"], 2, '"--output" is missing', "See uki --help"],
    ["no file", ["show"], 2, '"uki show" wants FILE: FILE is missing', "See uki --help"],
    ["no section", ["extract", "x"], 2, "SECTION is missing", "See uki --help"],
    ["too many words", ["show", "a", "b"], 2, 'does not know what to do with "b"', "See uki --help"],
    [
      "half a section",
      ["build", "--kernel", "k", "-o", "x", "--section", ".dtb"],
      2,
      "wants NAME=FILE",
      "See",
    ],
    ["no PE file", ["show", "a.cpio"], 1, '"a.cpio" is no PE file', ""],
    ["no such section", ["extract", "stub", ".linux"], 1, 'no section ".linux"', 'hint: It has ".text"'],
    ["a file that is not there", ["show", "nowhere"], 1, 'Cannot read "nowhere"', ""],
  ])("%s", async (_, args, code, error, hint) => {
    const outcome = await uki(...args);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(outcome.stderr).toMatch(/^error: /);
    expect(outcome.stderr).toContain(error);
    expect(outcome.stderr).toContain(hint);
    expect(outcome.stderr).not.toContain(" at ");
  });

  test("--debug shows where", async () => {
    expect((await uki("show", "a.cpio", "--debug")).stderr).toMatch(/ at .*pe\.ts/);
  });
});

test("--help and --version", async () => {
  expect((await uki("--help")).stdout).toContain("uki build --kernel FILE");
  expect((await uki("build", "--help")).code).toBe(0);
  expect((await uki("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("a pipe that is named as output is given the content, and stays one", async () => {
  const pipe = join(scratch, "pipe");
  await exec("mkfifo", [pipe]);
  const [content, { code }] = await Promise.all([
    readFile(pipe, "latin1"),
    uki("extract", "image.efi", ".cmdline", "-o", "pipe"),
  ]);
  expect([content.replace(/\0$/, ""), code]).toEqual(["quiet", 0]);
  expect((await lstat(pipe)).isFIFO()).toBe(true);
});

test("a reader that leaves early is no error", async () => {
  const { stdout, stderr } = await exec(
    "sh",
    ["-c", `"$0" "$1" extract image.efi .linux | head -c 2`, process.execPath, cli],
    { cwd: scratch },
  );
  expect([stdout, stderr]).toEqual(["MZ", ""]);
});
