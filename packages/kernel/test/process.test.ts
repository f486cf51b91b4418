import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { cleanEnv, formatCommand, run, runOrThrow } from "../src/internal/process.ts";

test("a failed command is told with its status, its last lines and how to run it again", async () => {
  const command = { file: "sh", args: ["-c", 'echo "it\'s broken"; exit 3'], cwd: "/tmp" };
  await expect(runOrThrow(command, { what: "try" })).rejects.toMatchObject({
    code: "KERNEL_TOOL_FAILED",
    message: expect.stringMatching(/^Cannot try: "sh" ended with status 3\n[^]*it's broken/) as string,
    hint: `Run it again: cd /tmp && sh -c 'echo "it'\\''s broken"; exit 3'`,
  });
});

test("a quoted command means the same to a shell", async () => {
  const args = ["-c", 'printf "%s\\n" "$@"', "sh", "a b", "it's", "$HOME", "*", "", 'q"q', "KEY=1 2"];
  const typed = formatCommand({ file: "sh", args });
  const direct = await run({ file: "sh", args });
  const again = await run({ file: "sh", args: ["-c", typed] });
  expect(again.stdout).toBe(direct.stdout);
  expect(direct.stdout.split("\n")).toHaveLength(7);
});

test("a program that does not exist is told as missing", async () => {
  await expect(runOrThrow({ file: "no-such-program", args: [] }, { what: "try" })).rejects.toMatchObject({
    code: "KERNEL_TOOL_MISSING",
  });
});

test("aborting ends the whole process group", async () => {
  const directory = await mkdtemp(join(tmpdir(), "kernel-process-"));
  try {
    const abort = new AbortController();
    const pidFile = join(directory, "pid");
    const script = `sleep 60 & echo $! > ${pidFile}; echo started; wait`;
    const running = run(
      { file: "sh", args: ["-c", script] },
      { signal: abort.signal, onLine: () => abort.abort() },
    );
    await expect(running).rejects.toMatchObject({ code: "KERNEL_ABORTED" });
    const pid = Number(await readFile(pidFile, "utf8"));
    // An orphan may stay as a zombie until init takes it.
    const state = async (): Promise<string> =>
      readFile(`/proc/${pid}/stat`, "utf8").then(
        (text) => text.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3),
        () => "gone",
      );
    for (let tries = 0; tries < 40 && !["gone", "Z"].includes(await state()); tries++) await sleep(50);
    expect(["gone", "Z"]).toContain(await state());
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test("nothing that changes a build comes from the caller's environment", () => {
  process.env["KCFLAGS"] = "-O0";
  process.env["MAKEFLAGS"] = "-k";
  try {
    const env = cleanEnv();
    expect(env["LC_ALL"]).toBe("C");
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(["KCFLAGS"]));
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(["MAKEFLAGS"]));
  } finally {
    delete process.env["KCFLAGS"];
    delete process.env["MAKEFLAGS"];
  }
});
