/** The command on a pseudo-terminal. */
import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { architectures, confEnvironment } from "../reference/architectures.ts";
import { answersDirectory } from "../reference/cache.ts";
import { buildConf, runCConf } from "../reference/c-conf.ts";
import { kernelTree } from "../reference/kernel-tree.ts";
import { onPty } from "../reference/pty.ts";
import type { Pty, PtyOptions } from "../reference/pty.ts";
import { HOUSE } from "./trees.ts";

const cli = join(import.meta.dirname, "../../src/cli.ts");
const TAKEN = "\u001b[?1049h";
const LEFT = "\u001b[?1049l";
const TERMINAL = { TERM: "xterm", LANG: "C.UTF-8", LC_ALL: "C.UTF-8" };

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "kconfig-menu-"));
  mkdirSync(join(directory, "house"));
  writeFileSync(join(directory, "house/Kconfig"), HOUSE);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A directory of its own for a session. */
function place(): string {
  return mkdtempSync(join(directory, "in-"));
}

function menu(
  cwd: string,
  more: NodeJS.ProcessEnv = {},
  size: Pick<PtyOptions, "rows" | "columns"> = {},
): Pty {
  const env = { ...process.env, ...TERMINAL, KCONFIG_ANSWERS: "", ...more };
  return onPty([process.execPath, cli, "menu", "--srctree", join(directory, "house")], { cwd, env, ...size });
}

test(
  "Linux 6.12: a symbol is searched, enabled with what it takes, and saved, and C changes nothing in it",
  { timeout: 300_000 },
  async () => {
    const tree = kernelTree("6.12").directory;
    const conf = buildConf(tree);
    const x86 = architectures(tree).find(({ arch }) => arch === "x86_64");
    const env = { ...(x86 && confEnvironment(tree, x86)) };
    const answers = answersDirectory(tree, "x86_64");
    const cwd = place();
    const complete = (): void => {
      const ran = runCConf(conf, ["--olddefconfig", "Kconfig"], { cwd, env, answers });
      expect(ran).toMatchObject({ status: 0 });
    };
    copyFileSync(join(tree, "arch/x86/configs/x86_64_defconfig"), join(cwd, ".config"));
    complete();
    const before = readFileSync(join(cwd, ".config"), "latin1");
    expect(before).not.toContain("CONFIG_KVM_INTEL=");
    using session = onPty([process.execPath, cli, "menu", "--srctree", tree], {
      cwd,
      env: { ...process.env, ...env, ...TERMINAL, srctree: undefined },
      columns: 100,
    });
    await session.until("Linux/x86_64 6.12");
    session.type("/kvm_intel\r");
    await session.until("It is hidden");
    session.type("e");
    await session.until("KVM_INTEL=y takes 2 settings");
    await session.until("Enter: do it");
    session.type("\r");
    await session.until("Done: KVM_INTEL=y");
    session.type("f");
    await session.until("changes.config");
    session.type("\r");
    await session.until('Saved to "changes.config"');
    session.type("q");
    await session.until("Save the changes");
    session.type("y");
    expect(await session.end).toEqual({ status: 0, mode: "cooked" });
    expect(session.output()).toContain(LEFT);
    const saved = readFileSync(join(cwd, ".config"), "latin1");
    expect(saved).toContain("CONFIG_KVM_INTEL=y\n");
    expect(readFileSync(join(cwd, ".config.old"), "latin1")).toBe(before);
    complete();
    expect(readFileSync(join(cwd, ".config"), "latin1")).toBe(saved);
    // The fragment alone makes the same of what was there.
    const fragment = readFileSync(join(cwd, "changes.config"), "latin1");
    expect(fragment).toBe("CONFIG_KVM=y\nCONFIG_KVM_INTEL=y\n");
    writeFileSync(join(cwd, ".config"), before + fragment, "latin1");
    complete();
    expect(readFileSync(join(cwd, ".config"), "latin1")).toBe(saved);
  },
);

describe("the terminal is given back", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGQUIT", 131],
  ] as const)("after %s", async (signal, status) => {
    const cwd = place();
    using session = menu(cwd);
    await session.until("House");
    await session.until("shows the keys");
    session.type("y");
    await session.until("[*] Modules");
    session.kill(signal);
    expect(await session.end).toEqual({ status, mode: "cooked" });
    expect(session.output().split(LEFT)).toHaveLength(2);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test("after Ctrl-C, which asks first when there is something to save", async () => {
    const cwd = place();
    using session = menu(cwd);
    await session.until("shows the keys");
    session.type("y");
    await session.until("[*] Modules");
    session.type("\u0003");
    await session.until("Save the changes");
    session.type("\u0003");
    expect(await session.end).toEqual({ status: 130, mode: "cooked" });
    expect(session.output()).toContain(LEFT);
    expect(existsSync(join(cwd, ".config"))).toBe(false);
  });

  test("when the program fails, before that is told", async () => {
    const fault = 'process.on("SIGUSR2", () => { throw new Error("a fault"); });';
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(fault)}`;
    using session = menu(place(), { NODE_OPTIONS });
    await session.until("shows the keys");
    session.kill("SIGUSR2");
    await session.until(LEFT);
    await session.until("Error: a fault");
    expect(await session.end).toEqual({ status: 1, mode: "cooked" });
  });

  test("while it is stopped, and taken again: by whoever, and where nobody could continue it", async () => {
    using session = menu(place());
    await session.until("shows the keys");
    session.kill("SIGSTOP");
    session.kill("SIGCONT");
    await session.until(TAKEN);
    await session.until("shows the keys");
    session.kill("SIGTSTP");
    await session.until(LEFT);
    await session.until(TAKEN);
    await session.until("shows the keys");
    session.type("\u001a");
    await session.until(LEFT);
    await session.until(TAKEN);
    session.type("y");
    await session.until("[*] Modules");
    session.type("qn");
    expect(await session.end).toEqual({ status: 0, mode: "cooked" });
  });

  test("in a shell: Ctrl-Z and fg, and afterwards the mode is what it was", { timeout: 60_000 }, async () => {
    const cwd = place();
    const env = { ...process.env, ...TERMINAL, KCONFIG_ANSWERS: "", HISTFILE: undefined };
    using shell = onPty(["bash", "--norc", "--noprofile", "-i"], { cwd, env });
    // In two parts, so that the echo of it is no prompt.
    shell.type("PS1='READ''Y> '\r");
    await shell.until("READY> ");
    shell.type("stty -g; stty size\r");
    await shell.until("24 80");
    await shell.until("READY> ");
    const mode = /^([0-9a-f:]{30,})\r?$/m.exec(shell.output())?.[1] ?? "no mode";
    shell.type(`${process.execPath} ${cli} menu --srctree ${join(directory, "house")}\r`);
    await shell.until("shows the keys");
    shell.type("y");
    await shell.until("[*] Modules");
    shell.type("\u001a");
    await shell.until(LEFT);
    await shell.until("Stopped");
    await shell.until("READY> ");
    shell.type("stty -g\r");
    await shell.until(mode);
    await shell.until("READY> ");
    shell.type("fg\r");
    await shell.until(TAKEN);
    await shell.until("[*] Modules");
    shell.resize(10, 40);
    await shell.until("\u001b[10;1H");
    shell.type("s\r");
    await shell.until('Saved to ".config"');
    shell.type("q");
    await shell.until(LEFT);
    await shell.until("READY> ");
    shell.type("echo status=$?; stty -g\r");
    await shell.until("status=0");
    await shell.until(mode);
    shell.type("exit\r");
    await shell.end;
    expect(readFileSync(join(cwd, ".config"), "utf8")).toContain("CONFIG_MODULES=y\n");
  });
});

test("a file that cannot be written is told, and what was changed is still there", async () => {
  const cwd = place();
  using session = menu(cwd);
  await session.until("shows the keys");
  session.type("ys");
  await session.until("Save the configuration as");
  session.type("\u0015no/such/place\r");
  await session.until("Cannot write");
  session.type("q");
  await session.until("Save the configuration as");
  session.type("\u0015there\r");
  await session.until('Saved to "there"');
  session.type("q");
  expect(await session.end).toEqual({ status: 0, mode: "cooked" });
  expect(readFileSync(join(cwd, "there"), "utf8")).toContain("CONFIG_MODULES=y\n");
});

test("pasted keys are no commands", async () => {
  const cwd = place();
  using session = menu(cwd);
  await session.until("shows the keys");
  session.type("\u001b[200~yyqn\r\u001b[201~");
  session.type("/");
  await session.until("Search:");
  session.type("\u001b[200~networking\u001b[201~");
  await session.until("NET=n  Networking");
  session.type("\r");
  await session.until("NET=n  n y");
  session.type("q");
  expect(await session.end).toEqual({ status: 0, mode: "cooked" });
});

test("a terminal of one row and few columns", async () => {
  using session = menu(place(), {}, { rows: 1, columns: 9 });
  await session.until("[ ] Mod~");
  session.type("y");
  await session.until("[*] Mod~");
  session.type("q");
  await session.until("Save?");
  session.type("n");
  expect(await session.end).toEqual({ status: 0, mode: "cooked" });
});

test("without a terminal there is one clear error, and nothing is read", async () => {
  const run = async (env: NodeJS.ProcessEnv): Promise<unknown> =>
    await promisify(execFile)(process.execPath, [cli, "menu", "--srctree", "/nowhere"], { env }).catch(
      ({ code, stderr, stdout }: { code: number; stderr: string; stdout: string }) => ({
        code,
        stderr,
        stdout,
      }),
    );
  expect(await run(process.env)).toEqual({
    code: 1,
    stdout: "",
    stderr:
      "error: The menu needs a terminal, but stdin is none\n" +
      'hint: "kconfig search", "show", "explain" and "resolve" do without one\n',
  });
});

test("conf loads nothing of the menu", async () => {
  const log =
    'import { registerHooks } from "node:module"; registerHooks({ load: (url, context, next) => { console.error(url); return next(url, context); } });';
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(log)}`, cli, "conf", "--alldefconfig", "Kconfig"],
    {
      cwd: join(directory, "house"),
      env: { ...process.env, KCONFIG_CONFIG: join(place(), "config"), KCONFIG_ANSWERS: "" },
    },
  );
  const loaded = stderr.split("\n").filter((line) => line.startsWith("file:"));
  expect(loaded.some((url) => url.endsWith("/src/conf/conf.ts"))).toBe(true);
  expect(
    loaded.filter((url) => /menu|terminal|readline|cadical/.test(url.replace(/.*\/packages\/kconfig\//, ""))),
  ).toEqual([]);
});
