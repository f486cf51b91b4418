/** What a user can get wrong: each gives one clear error and exit status 1 or 2, writes nothing and leaves no process. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "@justenough-dev/tools/workspace";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { type Run, type RunOptions, appliance } from "../lib/command.ts";

const scratch = mkdtempSync(join(tmpdir(), "justenough-errors-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function spec(name: string, text: string): string {
  mkdirSync(join(scratch, name), { recursive: true });
  writeFileSync(join(scratch, name, "appliance.yaml"), text);
  return join(scratch, name);
}

async function fails(args: readonly string[], options?: RunOptions): Promise<Run> {
  const run = await appliance(args, options);
  expect([1, 2]).toContain(run.exitCode);
  expect(run.stderr.match(/^error: /gm), run.stderr).toHaveLength(1);
  expect(run.stderr).not.toMatch(/^ {4}at /m);
  expect(run.stdout).toBe("");
  expect(run.left).toEqual([]);
  return run;
}

test("a misspelt key points at its place and says what was meant", async () => {
  const at = spec("key", "name: x\nrun: [sh]\nprogams: [sh]\n");
  const { stderr } = await fails(["run", at]);
  // As it is shortest: relative to where the command ran, or not.
  expect(stderr).toContain("key/appliance.yaml:3:1");
  expect(stderr).toContain("progams: [sh]");
  expect(stderr).toMatch(/did you mean "?programs"?/i);
});

test("a program that does not exist is named", async () => {
  const at = spec(
    "program",
    "name: x\nrun: [no-such-program]\nprograms: [no-such-program]\nkernel: { source: distro }\n",
  );
  expect((await fails(["run", at])).stderr).toContain("no-such-program");
});

test("a program of this machine in an appliance for another, and serving such a one", async () => {
  const other = process.arch === "arm64" ? "x86_64" : "arm64";
  const at = spec("foreign", `name: x\narch: ${other}\nrun: [ls]\nprograms: [ls]\n`);
  const { stderr } = await fails(["build", at]);
  expect(stderr).toMatch(new RegExp(`"/\\S*/ls" is a program for \\S+ .*, wanted ${other}`));
  expect(stderr).toContain(`initramfs pack --arch ${other} --layer FILE`);
  const served = spec("served", "name: x\narch: riscv64\nrun: [ls]\n");
  expect((await fails(["serve", served, "--interface", "lo"])).stderr).toContain(
    "only PCs are booted from the network",
  );
});

test("a library that is missing is named with who needs it", async () => {
  const at = spec(
    "library",
    "name: x\nrun: [/bin/needy]\nprograms: [{ source: needy, target: /bin/needy }]\nkernel: { source: distro }\n",
  );
  writeFileSync(join(scratch, "lib.c"), "int answer(void) { return 42; }\n");
  writeFileSync(join(scratch, "main.c"), "int answer(void); int main(void) { return answer(); }\n");
  const lib = join(scratch, "libjustmissing.so");
  await execa("gcc", ["-shared", "-o", lib, join(scratch, "lib.c")]);
  await execa("gcc", ["-o", join(at, "needy"), join(scratch, "main.c"), lib, "-Wl,-rpath,/nowhere"]);
  const absolute = join(at, "appliance.yaml");
  writeFileSync(
    absolute,
    `name: x\nrun: [/bin/needy]\nprograms: [{ source: ${join(at, "needy")}, target: /bin/needy }]\nkernel: { source: distro }\n`,
  );
  rmSync(lib);
  const { stderr } = await fails(["run", at]);
  expect(stderr).toContain("libjustmissing.so");
  expect(stderr).toContain("needy");
});

test("an option that cannot be set is named with its wanted and its actual value", async () => {
  const at = spec(
    "option",
    "name: x\nrun: [/bin/true]\nprograms: [/bin/true]\nkernel: { config: { EXT4_FS: y, BLOCK: n } }\n",
  );
  const { stderr } = await fails(["run", at]);
  expect(stderr).toContain("option/appliance.yaml:4:21");
  expect(stderr).toContain('"EXT4_FS" should be y but is not set');
  expect(stderr).toContain("exclude each other: take one of them back");
});

test("a QEMU that is not installed is named with its package", async () => {
  const bin = join(scratch, "bin");
  mkdirSync(bin);
  for (const directory of ["/usr/bin", "/bin", "/usr/sbin", "/sbin"])
    for (const name of readdirSync(directory))
      if (!name.startsWith("qemu-system") && !existsSync(join(bin, name)))
        symlinkSync(join(directory, name), join(bin, name));
  const command = [process.execPath, join(root, "packages/appliance/src/cli.ts")];
  const { stderr } = await fails(["run", "examples/hello", "--kernel", "distro"], {
    command,
    env: { PATH: bin },
  });
  expect(stderr).toContain("qemu-system-x86");
});

test("a full disk while the archive is written is said, and nothing half-written stays", async () => {
  const small = join(scratch, "small");
  mkdirSync(small);
  // The cache has room for 160 MB; 192 MB of noise do not compress into it.
  const noise = join(scratch, "noise");
  await execa("dd", ["if=/dev/urandom", `of=${noise}`, "bs=1M", "count=192", "status=none"]);
  const at = spec(
    "full",
    `name: x\nrun: [/bin/true]\nprograms: [/bin/true]\nfiles: { /noise: { source: ${noise} } }\nkernel: { source: distro }\n`,
  );
  const script = join(scratch, "full.sh");
  writeFileSync(
    script,
    `#!/bin/sh\nset -e\nmount -t tmpfs -o size=160m none ${small}\n${join(root, "tools/appliance")} build ${at} --cache-dir ${small} || status=$?\nfind ${small} -name '*initramfs*' -size +1M >&2\nexit \${status:-0}\n`,
  );
  chmodSync(script, 0o755);
  const { stderr } = await fails([], { command: ["unshare", "--mount", script] });
  expect(stderr).toMatch(/no space left|disk is full/i);
  expect(stderr).not.toContain(small + "/initramfs");
});
