import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseAccelerator, judgeProbe, launch, machine, probeAccelerator } from "../src/index.ts";
import { PROBE_CODE } from "../src/internal/probe-rom.ts";
import { processesWith } from "./support/processes.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "qemu-accel-test-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** A QEMU that fails as real ones do on hosts with a broken KVM; no such host is at hand. */
async function brokenQemu(name: string, script: string): Promise<string> {
  const path = join(scratch, name);
  await writeFile(
    path,
    `#!/bin/sh\n[ "$1" = --version ] && { echo "QEMU emulator version 8.2.0"; exit; }\n${script}\n`,
  );
  await chmod(path, 0o755);
  return path;
}

describe("the probe guest", () => {
  test("is what its source assembles to", async () => {
    const source = new URL("../assets/probe.S", import.meta.url).pathname;
    const run = promisify(execFile);
    await run("as", ["--64", source, "-o", join(scratch, "probe.o")]);
    await run("objcopy", [
      "-O",
      "binary",
      "-j",
      ".text",
      join(scratch, "probe.o"),
      join(scratch, "probe.bin"),
    ]);
    expect(Buffer.from(PROBE_CODE)).toEqual(await readFile(join(scratch, "probe.bin")));
  });

  test.each([["qemu64,+rdrand"], ["max"]])("runs to its end under emulation with -cpu %s", async (cpu) => {
    const verdict = await probeAccelerator({ accel: "tcg", cpu, cacheDir: false, timeout: 20_000 });
    expect(verdict).toMatchObject({ stages: "RPLCFIT", cached: false });
    expect(["ok", "slow"]).toContain(verdict.shape);
  });

  test("a processor that does not exist is refused in QEMU's words", async () => {
    const verdict = await probeAccelerator({ accel: "tcg", cpu: "pentium9", cacheDir: false });
    expect(verdict).toMatchObject({ usable: false, shape: "refused", stages: "" });
    expect(verdict.reason).toContain("unable to find CPU model 'pentium9'");
  });
});

describe("verdicts", () => {
  test.each([
    ["crash", "kill -ABRT $$", "crashed", /SIGABRT/],
    [
      "refuse",
      "echo 'failed to initialize kvm' >&2; exit 1",
      "refused",
      /exit code 1: failed to initialize kvm/,
    ],
    ["error", "echo 'KVM internal error. Suberror: 1' >&2; sleep 60", "internal-error", /KVM internal error/],
    ["hang", "sleep 60", "hung", /did not end within 300 ms/],
    ["exit33", "exit 33", "refused", /exit code 33/],
  ])("a QEMU that shows %s", async (name, script, shape, reason) => {
    const binary = await brokenQemu(name, script);
    const verdict = await probeAccelerator({ accel: "tcg", binary, cacheDir: false, timeout: 300 });
    expect(verdict).toMatchObject({ usable: false, shape, reason: expect.stringMatching(reason) });
    expect(await processesWith(binary)).toEqual([]);
  });

  test("nothing but all stages, at speed, is usable", () => {
    const good = {
      exitCode: 33,
      signal: null,
      stages: "RPLCFIT",
      loopMs: 20,
      internalError: false,
      timedOut: false,
      timeout: 2000,
      stderr: "",
    };
    expect(judgeProbe(good)).toMatchObject({ usable: true, shape: "ok" });
    for (const change of [
      { loopMs: 1001 },
      { loopMs: Infinity },
      { stages: "RPLCFI" },
      { exitCode: 0 },
      { exitCode: null, signal: "SIGABRT" },
    ]) {
      expect(judgeProbe({ ...good, ...change }).usable).toBe(false);
    }
  });

  test("a decided verdict is kept until the next boot, for that processor only; a hang is not", async () => {
    const cacheDir = join(scratch, "cache");
    const first = await probeAccelerator({ accel: "tcg", cpu: "pentium9", cacheDir });
    const second = await probeAccelerator({ accel: "tcg", cpu: "pentium9", cacheDir });
    expect([first.cached, second.cached]).toEqual([false, true]);
    expect(second).toEqual({ ...first, cached: true });
    expect((await probeAccelerator({ accel: "tcg", cpu: "pentium10", cacheDir })).cached).toBe(false);
    expect(await readdir(join(cacheDir, "qemu"))).toHaveLength(2);
    const binary = await brokenQemu("hang-again", "sleep 60");
    await probeAccelerator({ accel: "tcg", binary, cacheDir, timeout: 200 });
    // Nor the deed of somebody else, such as a kernel that is out of memory.
    for (const signal of ["KILL", "TERM"]) {
      const killed = await brokenQemu(`killed-${signal}`, `kill -${signal} $$`);
      const verdict = await probeAccelerator({ accel: "tcg", binary: killed, cacheDir });
      expect(verdict).toMatchObject({ shape: "crashed", reason: `QEMU was ended by SIG${signal}` });
    }
    expect(await readdir(join(cacheDir, "qemu"))).toHaveLength(2);
    // A QEMU that was killed because it had shown an error is another matter.
    const broken = await brokenQemu("error-again", "echo 'KVM internal error' >&2; sleep 60");
    for (const cached of [false, true])
      expect(await probeAccelerator({ accel: "tcg", binary: broken, cacheDir })).toMatchObject({
        shape: "internal-error",
        cached,
      });
  });
});

describe("choosing", () => {
  test("auto and kvm agree with the probe, tcg asks nothing", async () => {
    const verdict = await probeAccelerator({ cacheDir: false });
    const auto = await chooseAccelerator(machine({ kernel: "k" }), { cacheDir: scratch });
    expect(auto.accel).toBe(verdict.usable ? "kvm" : "tcg");
    expect(auto.verdict).toMatchObject({ usable: verdict.usable, shape: verdict.shape });
    expect(await chooseAccelerator(machine({ kernel: "k", accel: "tcg" }))).toEqual({ accel: "tcg" });
    const insisting = chooseAccelerator(machine({ kernel: "k", accel: "kvm" }), { cacheDir: scratch });
    if (verdict.usable) expect((await insisting).accel).toBe("kvm");
    else
      await expect(insisting).rejects.toMatchObject({
        code: "QEMU_KVM_UNUSABLE",
        message: expect.stringContaining(verdict.reason),
      });
  });

  test("a guest of another architecture can't use KVM", async () => {
    expect(await probeAccelerator({ arch: "arm64" })).toMatchObject({
      usable: false,
      shape: "foreign",
      reason: "This host (x64) can't run the instructions of arm64 itself",
    });
  });

  test("without QEMU there is one clear error", async () => {
    await expect(launch({ firmware: "x", binary: "qemu-system-nothing" })).rejects.toMatchObject({
      code: "QEMU_NOT_FOUND",
      message: 'Cannot find QEMU: there is no executable "qemu-system-nothing" in PATH',
      hint: expect.stringContaining("apt-get install qemu-system-x86"),
    });
    await expect(
      launch({ arch: "arm64", kernel: "k", binary: "/none/qemu-system-aarch64" }),
    ).rejects.toMatchObject({
      code: "QEMU_NOT_FOUND",
      hint: expect.stringContaining("apt-get install qemu-system-arm (Debian, Ubuntu)"),
    });
    await expect(
      launch({ arch: "riscv64", kernel: "k", binary: "/none/qemu-system-riscv64" }),
    ).rejects.toMatchObject({ hint: expect.stringContaining("apt-get install qemu-system-misc ") });
    const old = await brokenQemu("old", "exit 1");
    await writeFile(old, "#!/bin/sh\necho QEMU emulator version 5.2.0\n");
    await expect(probeAccelerator({ accel: "tcg", binary: old })).rejects.toMatchObject({
      code: "QEMU_TOO_OLD",
    });
  });
});
