import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseCli } from "../src/cli-arguments.ts";
import { main } from "../src/main.ts";

async function cli(...argv: string[]): Promise<{ status: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const status = await main(argv, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    onSignal: () => undefined,
  });
  return { status, out, err };
}

describe("usage", () => {
  test("leases are kept in the state directory, where told, or not at all", () => {
    const file = (...argv: string[]): string | undefined => {
      const request = parseCli(["--interface", "eth1", "--kernel", "x", ...argv]);
      return request.kind === "serve" ? request.options.leaseFile : "";
    };
    const state = process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local/state");
    expect(file("--mode", "authoritative")).toBe(join(state, "justenough/pxe/eth1.leases"));
    expect(file("--mode", "authoritative", "--lease-file", "/x")).toBe("/x");
    expect(file("--mode", "authoritative", "--lease-file", "none")).toBeUndefined();
    expect(file()).toBeUndefined();
  });
  test("--help and --version", async () => {
    expect(await cli("--help")).toMatchObject({
      status: 0,
      err: "",
      out: expect.stringMatching(/^Usage: pxe-serve/),
    });
    expect((await cli("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
  test.each([
    [["--kernl", "x"], 'Unknown option "--kernl"', "did you mean --kernel?"],
    [["--interface", "lo"], '"--kernel" is missing', ""],
    [["--kernel", "x"], '"--interface" is missing', "ip -br address"],
    [["--interface", "lo", "--socket", "s", "--kernel", "x"], '"--interface" and "--socket" exclude', ""],
    [["--interface", "lo", "--kernel", "x", "--mode", "on"], '"--mode" must be', ""],
    [["--interface", "lo", "--kernel", "x", "--http-port", "99999"], '"--http-port" must be a port', ""],
    [["--interface", "lo", "--kernel", "x", "--lease", "x"], '"--lease" wants MAC=ADDRESS', ""],
    [
      "--interface lo --kernel x --lease 52:54:00:12:34:56=10.0.0.2 --lease 52-54-00-12-34-56=10.0.0.3".split(
        " ",
      ),
      '"--lease" names 52:54:00:12:34:56 twice',
      "one address",
    ],
    [["stray"], "Unexpected argument", ""],
    [["--interface", "lo", "--kernel", "x", "--policy", "y"], "Only one of", ""],
    [["--interface", "lo", "--kernel", "x", "--tls-cert", "y"], '"--tls-cert" and "--tls-key"', ""],
    [["--interface", "lo", "--polcy", "x"], 'Unknown option "--polcy"', "did you mean --policy?"],
    [["--interface", "lo", "--bundle", "x", "--append", "y"], '"--append" does nothing with', "policy"],
    [["--interface", "lo", "--policy", "x", "--initrd", "y"], '"--initrd" does nothing with', "own"],
    [
      ["--interface", "lo", "--kernel", "x", "--pool", "y"],
      '"--pool" does nothing in mode proxy',
      "authoritative",
    ],
    [
      ["--interface", "lo", "--kernel", "x", "--force"],
      '"--force" does nothing in mode proxy',
      "authoritative",
    ],
    [
      ["--interface", "lo", "--kernel", "x", "--mode", "http-only", "--tftp-uploads", "y"],
      '"--tftp-uploads" does nothing in mode http-only',
      "--mode files",
    ],
    [["--interface", "lo", "--kernel", "x", "--server", "y"], '"--server" does nothing without', "--address"],
    [["explain", "52:54:00:12:34:56", "--pool", "x"], '"--pool" does nothing with "explain"', "runs already"],
    [["explain"], '"explain" wants one MAC address', ""],
    [["explain", "52:54:00:12:34:56", "more"], '"explain" wants one MAC address', ""],
  ])("%j is refused with status 2", async (argv, error, hint) => {
    const { status, err, out } = await cli(...argv);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toContain(`error: ${error}`);
    expect(err).toMatch(/\nhint: /);
    expect(err).toContain(hint);
  });
  test("a policy with a mistake is status 1, with its place", async () => {
    const directory = await mkdtemp(join(tmpdir(), "pxe-cli-"));
    const policy = join(directory, "policy.yaml");
    await writeFile(policy, "rules:\n  - boot: nosuch\n");
    const { status, err } = await cli("--interface", "lo", "--mode", "http-only", "--policy", policy);
    expect([status, err]).toEqual([1, expect.stringMatching(/^error: .*policy\.yaml:2:11: .*no bundle/)]);
    await rm(directory, { recursive: true });
  });
  test.each([
    [["--policy", "/nosuch"], 'Cannot read the policy "/nosuch": ENOENT', "YAML"],
    [
      ["--kernel", "/etc/hostname", "--api-token", "/nosuch"],
      'Cannot take a token from "/nosuch": ENOENT',
      "openssl",
    ],
    [
      ["--kernel", "/etc/hostname", "--api-token", "/dev/null"],
      'a token from "/dev/null": it is empty',
      "openssl",
    ],
    [
      ["--kernel", "/etc/hostname", "--tls-cert", "/nosuch", "--tls-key", "/nosuch"],
      'Cannot use "/nosuch" and "/nosuch" as certificate and key: ENOENT',
      "PEM",
    ],
    [
      ["--kernel", "/etc/hostname", "--tls-cert", "/etc/hostname", "--tls-key", "/etc/hostname"],
      'Cannot use "/etc/hostname" and "/etc/hostname" as certificate and key: ',
      "PEM",
    ],
    [
      ["--kernel", "/etc/hostname", "--uploads", "/dev/null/x"],
      'the directory "/dev/null/x": ENOTDIR',
      "written",
    ],
    [
      ["--kernel", "/etc/hostname", "--state", "/dev/null/x"],
      'Cannot read "/dev/null/x/lo.queues": ENOTDIR',
      "--state",
    ],
    [["--kernel", "/etc"], '"/etc" is not a file', "--bundle"],
  ])("%j is told with its reason and what to do", async (argv, error, hint) => {
    const state = ["--state", join(tmpdir(), "pxe-cli-no-state")];
    const { status, err } = await cli(
      ...["--interface", "lo", "--mode", "http-only", "--http-port", "0"],
      ...(argv.includes("--state") ? [] : state),
      ...argv,
    );
    expect([status, err]).toEqual([1, expect.stringContaining(error)]);
    expect(err).toMatch(new RegExp(`\nhint: .*${hint}`));
  });
  test("explain says why it got no answer", async () => {
    const explain = (server: string) => cli("explain", "52:54:00:12:34:56", "--server", server);
    expect((await explain("http://127.0.0.1:1")).err).toMatch(
      /^error: Cannot reach http:\/\/127\.0\.0\.1:1: .+\nhint: /,
    );
    expect((await explain("127.0.0.1:1")).err).toMatch(/^error: Cannot reach .*\nhint: .*http:\/\/10/);
    const other = createServer((_, response) => response.end("<html>")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { status, err } = await explain(`http://127.0.0.1:${port}`);
    expect([status, err]).toEqual([
      1,
      expect.stringMatching(/^error: .* answered with status 200\nhint: another program/),
    ]);
    other.close();
  });
  test("a failure is status 1, with a stack only on request", async () => {
    const argv = ["--interface", "nosuch0", "--kernel", "/etc/hostname"];
    expect(await cli(...argv)).toMatchObject({ status: 1, err: expect.not.stringContaining("    at ") });
    expect((await cli(...argv, "--debug")).err).toContain("    at ");
  });
});

test("serves until Ctrl-C, one JSON object a line, status 130", async () => {
  const program = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
  const args = [
    "--interface",
    "lo",
    "--mode",
    "http-only",
    "--kernel",
    "/etc/hostname",
    "--http-port",
    "0",
    "--json",
  ];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  let wake = (): void => undefined;
  child.stdout.on("data", (part: Buffer) => {
    lines.push(...part.toString().trim().split("\n"));
    wake();
  });
  const line = async (index: number): Promise<Record<string, unknown>> => {
    while (lines.length <= index) await new Promise<void>((resolve) => (wake = resolve));
    return JSON.parse(lines[index] ?? "") as Record<string, unknown>;
  };
  const { script } = await line(0);
  expect((await fetch(String(script))).status).toBe(200);
  expect(await line(1)).toMatchObject({ kind: "script", client: "127.0.0.1" });
  child.kill("SIGINT");
  expect(await once(child, "close")).toEqual([130, null]);
});

test("ends in order, without a stack, when nobody reads its lines any more", async () => {
  const program = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
  const args = "--interface lo --mode http-only --kernel /etc/hostname --http-port 0 --json".split(" ");
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (part: Buffer) => (said += part.toString()));
  const [first] = (await once(child.stdout, "data")) as [Buffer];
  const { script } = JSON.parse(first.toString()) as { script: string };
  child.stdout.destroy();
  const ended = once(child, "close");
  await fetch(script).catch(() => undefined); // it may be cut off
  expect([await ended, said]).toEqual([[143, null], ""]);
});
