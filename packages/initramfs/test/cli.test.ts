import { lstatSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { encodeCpio } from "@justenough/cpio";
import { afterAll, beforeAll, expect, test } from "vitest";

import { main } from "../src/main.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "initramfs-cli-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const out: Uint8Array[] = [];
  let stderr = "";
  const status = await main(args, {
    stdout: { write: (data) => out.push(Buffer.from(data as string)) },
    stderr: { write: (text) => (stderr += text) },
  });
  return { status, stdout: Buffer.concat(out).toString(), stderr };
}

test("packs, lists and reads back", async () => {
  const image = join(directory, "image.zst");
  const link = "/usr/bin/hello=/etc/motd";
  const packed = await run(
    "pack",
    "-o",
    image,
    "--compression",
    "zstd",
    "--hostname",
    "box",
    "--link",
    link,
    "--",
    "sh",
    "-c",
    "exit 3",
  );
  expect(packed).toMatchObject({ status: 0, stderr: "" });
  expect(packed.stdout).toMatch(
    /^\S+image\.zst: \d+ entries, \d+ bytes \(\d+ unpacked\)\nsha256 [0-9a-f]{64}\n$/,
  );
  const listed = await run("list", image);
  expect(listed.stdout).toMatch(/^-rwxr-xr-x +\d+ init$/m);
  expect(listed.stdout).toMatch(/^crw------- +5,1 dev\/console$/m);
  expect(listed.stdout).toMatch(/^lrwxrwxrwx +9 usr\/bin\/hello -> \/etc\/motd$/m);
  expect(listed.stdout).toMatch(/^drwxrwxrwt +0 tmp$/m);
  const json = JSON.parse((await run("list", "--json", image)).stdout) as { path: string }[];
  expect(json.length).toBe(listed.stdout.trimEnd().split("\n").length);
  const records = await run("cat", image, "/etc/appliance/init");
  expect(records.stdout.split("\0")).toEqual([
    "hostname=box",
    "network=none",
    "arg=sh",
    "arg=-c",
    "arg=exit 3",
    "",
  ]);
});

test("a pipe that is named as output is given the image, and stays one", async () => {
  const pipe = join(directory, "pipe");
  expect(spawnSync("mkfifo", [pipe]).status).toBe(0);
  const [image, packed] = await Promise.all([readFile(pipe), run("pack", "-o", pipe, "--", "true")]);
  expect(packed).toMatchObject({ status: 0, stderr: "" });
  expect(packed.stdout).toContain(createHash("sha256").update(image).digest("hex"));
  expect(lstatSync(pipe).isFIFO()).toBe(true);
});

test("prints a closure with its reasons", async () => {
  const { stdout, status } = await run("closure", "true");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\/usr\/bin\/true +program "true"$/m);
  expect(stdout).toMatch(
    /^\/lib\/x86_64-linux-gnu\/libc\.so\.6 +library "libc\.so\.6" of \/usr\/bin\/true$/m,
  );
  const json = JSON.parse((await run("closure", "--json", "true")).stdout) as unknown[];
  expect(json.length).toBe(stdout.trimEnd().split("\n").length);
});

test("cannot be tricked into steering the terminal", async () => {
  const image = join(directory, "evil.gz");
  writeFileSync(image, gzipSync(encodeCpio([{ type: "file", name: "a\u001b[2J\nb" }])));
  expect((await run("list", image)).stdout).toBe("-rw-r--r--          0 a\\x1b[2J\\x0ab\n");
});

test.each([
  [["pack", "--ouput", "x"], 2, 'There is no option "--ouput"', 'Did you mean "--output"?'],
  [["pakc"], 2, 'There is no command "pakc"', 'Did you mean "pack"?'],
  [["pack"], 2, "pack needs --output FILE", undefined],
  [["pack", "-o", "x", "--network", "wifi"], 2, '--network is "wifi", wanted one of none, dhcp', undefined],
  [["pack", "-o", "x", "sh"], 2, 'Unexpected argument "sh"', "For a program to add: --program sh"],
  [["list"], 2, "Expected ARCHIVE, got 0 arguments", undefined],
  [["list", "/no/such"], 1, 'Cannot read the image "/no/such": it does not exist', undefined],
  [
    ["list", "/bin/true"],
    1,
    'Cannot read the image "/bin/true": The input is an ELF file, not a newc cpio archive',
    undefined,
  ],
  [
    ["closure", "no-such-program-at-all"],
    1,
    /^There is no program "no-such-program-at-all"/,
    "Install it, or give its path",
  ],
])("answers %j", async (args, status, message, hint) => {
  const result = await run(...args);
  const [first, second] = result.stderr.split("\n") as [string, string];
  expect(first).toMatch(
    message instanceof RegExp ? new RegExp(message.source.replace("^", "^error: ")) : `error: ${message}`,
  );
  if (hint !== undefined) expect(second).toBe(`hint: ${hint}`);
  expect(result).toMatchObject({ status, stdout: "" });
});

test("is an executable that helps", () => {
  const cli = new URL("../src/cli.ts", import.meta.url).pathname;
  const { stdout, status } = spawnSync(process.execPath, [cli, "--help"], { encoding: "utf8" });
  expect([status, stdout.includes("initramfs pack -o FILE")]).toEqual([0, true]);
  const version = spawnSync(process.execPath, [cli, "--version"], { encoding: "utf8" });
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
