import { execFile, execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { closure, closures, InitramfsError } from "../src/index.ts";
import { dynamicFiles, ldd, librariesOf } from "./reference/ldd.ts";

const run = promisify(execFile);
// A part of them: test/reference/run-ldd.ts takes all.
const SAMPLE = 130;

const ours = (path: string): string[] => librariesOf(closure([path]));

describe("closure", () => {
  test(
    "is what ldd says, for programs and libraries all over the machine",
    { timeout: 300_000 },
    async () => {
      const files = dynamicFiles();
      const sample = Array.from(
        { length: SAMPLE },
        (_, index) => files[Math.floor((index * files.length) / SAMPLE)] as string,
      );
      const half = Math.ceil(sample.length / 2);
      const answers = await Promise.all([ldd(sample.slice(0, half)), ldd(sample.slice(half))]);
      const expected = new Map(answers.flatMap((all) => [...all]));
      const handled = sample.filter((path) => expected.get(path) !== undefined);
      expect(handled.length).toBeGreaterThan(SAMPLE / 2);
      for (const [path, entries] of closures(handled)) {
        expect(librariesOf(entries), path).toEqual(expected.get(path));
      }
    },
  );

  test("follows scripts to their interpreters", () => {
    const entries = closure(["ldd"]);
    expect(entries.map(({ role }) => role)).toEqual(
      expect.arrayContaining(["program", "interpreter", "loader", "library"]),
    );
    expect(entries.find(({ role }) => role === "interpreter")).toMatchObject({ neededBy: "/usr/bin/ldd" });
  });

  test("suggests the program that was meant", () => {
    expect(() => closure(["bahs"])).toThrow(
      expect.objectContaining({
        code: "INITRAMFS_NOT_FOUND",
        hint: expect.stringContaining('"bash"') as string,
      }),
    );
  });

  test("refuses a program of another machine", () => {
    expect(() => closure(["true"], { arch: "riscv64" })).toThrow(
      /is a program for x86_64 \(64 bits\), wanted riscv64/,
    );
  });
});

describe("closure of programs built for the purpose", () => {
  let directory: string;
  const cc = (...args: string[]): void => void execFileSync("cc", args, { cwd: directory });

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "initramfs-closure-"));
    for (const name of ["a/lib", "b", "bin"]) mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, "inner.c"), "int inner(void) { return 1; }");
    writeFileSync(join(directory, "outer.c"), "int inner(void); int outer(void) { return inner(); }");
    writeFileSync(join(directory, "main.c"), "int outer(void); int main(void) { return outer(); }");
    cc("-shared", "-fPIC", "-o", "b/libinner.so", "inner.c");
    cc("-shared", "-fPIC", "-o", "a/lib/libouter.so", "outer.c", "-Lb", "-linner");
    const link = ["main.c", "-La/lib", "-louter", "-Wl,-rpath-link,b"];
    // RPATH is inherited by libouter, RUNPATH is not.
    cc("-o", "bin/rpath", ...link, "-Wl,--disable-new-dtags,-rpath,$ORIGIN/../a/lib:${ORIGIN}/../b");
    cc("-o", "bin/runpath", ...link, "-Wl,--enable-new-dtags,-rpath,$ORIGIN/../a/lib:$ORIGIN/../b");
    symlinkSync("bin/rpath", join(directory, "link"));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test("takes an inherited RPATH, with $ORIGIN behind a link", async () => {
    const path = join(directory, "link");
    const real = realpathSync(path);
    expect(ours(path)).toEqual((await ldd([real])).get(real));
    expect(ours(path)).toContain(join(directory, "b/libinner.so"));
  });

  test("names the library, who needs it, and where was looked, when a RUNPATH does not reach", async () => {
    const path = join(directory, "bin/runpath");
    const { stdout } = await run("ldd", [path]);
    expect(stdout).toContain("libinner.so => not found");
    let error: unknown;
    try {
      closure([path]);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(InitramfsError);
    const { code, message } = error as InitramfsError;
    expect(code).toBe("INITRAMFS_LIBRARY_NOT_FOUND");
    expect(message).toContain(
      `"${directory}/a/lib/libouter.so" (needed by "${path}") needs the library "libinner.so", which was not found; looked at `,
    );
    expect(message).toContain("/usr/lib/x86_64-linux-gnu/libinner.so");
  });

  test("reads a sysroot without looking outside of it", () => {
    const root = join(directory, "root");
    for (const name of [
      "usr/bin",
      "usr/lib/x86_64-linux-gnu",
      "usr/lib64",
      "opt/private",
      "etc/ld.so.conf.d",
    ]) {
      mkdirSync(join(root, name), { recursive: true });
    }
    for (const name of ["bin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(root, name));
    const copy = (from: string, to: string): void =>
      writeFileSync(join(root, to), readFileSync(from), { mode: 0o755 });
    copy("/usr/bin/true", "usr/bin/true");
    copy("/lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2");
    expect(() => closure(["true"], { sysroot: root })).toThrow(/needs the library "libc\.so\.6"/);
    copy("/lib/x86_64-linux-gnu/libc.so.6", "opt/private/libc-2.so");
    symlinkSync("/opt/private/libc-2.so", join(root, "opt/private/libc.so.6"));
    writeFileSync(join(root, "etc/ld.so.conf"), "include ld.so.conf.d/*.conf # comment\n");
    writeFileSync(join(root, "etc/ld.so.conf.d/private.conf"), "/opt/private\n");
    expect(closure(["true"], { sysroot: root }).at(-1)).toMatchObject({
      path: "/opt/private/libc.so.6",
      file: "/opt/private/libc-2.so",
      foundBy: "configured",
    });
  });

  test("takes required libraries from dlopen notes", () => {
    const note = (json: string): string => `
      .section .note.dlopen,"a",@note
      .balign 4
      .long 4, 2f-1f, 0x407c0c0a
      .asciz "FDO"
      1: .asciz ${JSON.stringify(json)}
      2: .balign 4
      .section .note.GNU-stack,"",@progbits`;
    const build = (name: string, json: string): string => {
      writeFileSync(join(directory, `${name}.s`), `${note(json)}\n`);
      writeFileSync(join(directory, "plain.c"), "int main(void) { return 0; }");
      cc("-o", name, "plain.c", `${name}.s`);
      return join(directory, name);
    };
    const good = build("good", '[{"soname":["libnone.so.9","libz.so.1"],"priority":"required"}]');
    expect(closure([good]).find(({ role }) => role === "dlopen")?.path).toMatch(/\/libz\.so\.1$/);
    const bad = build("bad", '[{"soname":["libnone.so.9"],"priority":"required","feature":"nothing"}]');
    expect(() => closure([bad])).toThrow(/needs the library "libnone\.so\.9" \(for nothing, at run time\)/);
    const soft = build("soft", '[{"soname":["libz.so.1"],"priority":"recommended"}]');
    expect(closure([soft]).some(({ role }) => role === "dlopen")).toBe(false);
    expect(closure([soft], { dlopen: "recommended" }).some(({ role }) => role === "dlopen")).toBe(true);
  });

  test("tells a script with carriage returns what is wrong with it", () => {
    const path = join(directory, "dos");
    writeFileSync(path, "#!/bin/sh\r\necho\r\n", { mode: 0o755 });
    expect(() => closure([path])).toThrow(/ends in a carriage return/);
    writeFileSync(path, "#!/usr/bin/env -S FOO=1 no-such-interpreter -x\n", { mode: 0o755 });
    expect(() => closure([path])).toThrow(/needs "no-such-interpreter"/);
  });
});
