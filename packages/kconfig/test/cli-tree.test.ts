import { execFile, execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { main } from "../src/command.ts";
import { kernelTree } from "./reference/kernel-tree.ts";
import { SMALL_KCONFIG } from "./small-tree.ts";

let directory: string;
beforeAll(async () => {
  vi.stubEnv("CC", "gcc");
  directory = await mkdtemp(join(tmpdir(), "kconfig-cli-tree-"));
  await mkdir(join(directory, "tree"));
  await writeFile(join(directory, "tree/Kconfig"), SMALL_KCONFIG);
  await writeFile(join(directory, "empty.config"), "");
  await writeFile(join(directory, "net.config"), "CONFIG_NET=y\n");
  await writeFile(join(directory, "tcp.config"), "# feature: tcp\nCONFIG_TCP=y\n");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

async function kconfig(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const status = await main(
    args.map((arg) => arg.replace("@", `${directory}/`)),
    { stdout: (text) => (out += text), stderr: (text) => (err += text) },
  );
  return { status, out, err: err.replaceAll(`${directory}/`, "@") };
}

const small = ["--srctree", "@tree"];

test("explain tells what it would take", async () => {
  const { status, out, err } = await kconfig("explain", ...small, "TCP=y", "CONFIG_HASH");
  expect({ status, err }).toEqual({ status: 0, err: "" });
  expect(out).toContain("TCP is n: it cannot be seen, and nothing selects it\n");
  expect(out).toContain('TCP=y needs, first to last:\n  NET=y  "Networking", Kconfig:7\n');
  const json = await kconfig("explain", ...small, "TCP=y", "--json", "--config", "@net.config");
  expect(JSON.parse(json.out)).toMatchObject([{ symbol: "TCP", wanted: "y", allowed: true }]);
  expect(await kconfig("explain", ...small, "TCQ")).toMatchObject({
    status: 1,
    err: 'error: There is no symbol "TCQ"\nhint: Did you mean "TCP"?\n',
  });
});

test("show prints all about a symbol", async () => {
  expect((await kconfig("show", ...small, "TCP", "--config", "@net.config")).out).toBe(`TCP=n
  tristate, set by nothing
  can be n, y
  defined at Kconfig:14: TCP
    in Networking
    depends on NET
  selects HASH if NET  (Kconfig:17)
`);
  expect((await kconfig("show", ...small, "NET", "BUFFERS")).out).toBe(`NET=n
  bool, set by nothing
  can be n, y
  defined at Kconfig:7: Networking

    The network. */ is no end of a comment.

    A second paragraph.

BUFFERS=2
  int, by default
  defined at Kconfig:25: Buffers
  default 8 if NET  (Kconfig:28)
  default 2  (Kconfig:29)
  range 1 64  (Kconfig:27)
`);
  const { out } = await kconfig("show", ...small, "CONFIG_NAME", "--json");
  expect(JSON.parse(out)).toMatchObject([{ name: "NAME", type: "string", origin: { kind: "default" } }]);
  expect(await kconfig("show", ...small, "NOPE")).toMatchObject({ status: 1 });
});

test("search finds names, prompts and help", async () => {
  expect(await kconfig("search", ...small, "net")).toEqual({
    status: 0,
    out: "NET=n  Networking  (Kconfig:7)\n",
    err: "",
  });
  expect((await kconfig("search", ...small, "CONFIG_64")).out).toContain("64BIT=n");
  const { out } = await kconfig("search", ...small, "second paragraph", "--json");
  expect(JSON.parse(out)).toMatchObject([{ name: "NET", type: "bool" }]);
  expect(await kconfig("search", ...small, "nothing like it")).toEqual({ status: 1, out: "", err: "" });
  expect(await kconfig("search", ...small, "(")).toMatchObject({
    status: 2,
    err: 'error: "(" is no regular expression\n',
  });
});

test("types and schema print, or write a file", async () => {
  expect((await kconfig("types", ...small)).out).toContain("export interface TreeConfig {\n");
  expect(await kconfig("types", ...small, "-o", "@types.ts")).toEqual({ status: 0, out: "", err: "" });
  expect(await readFile(join(directory, "types.ts"), "utf8")).toBe((await kconfig("types", ...small)).out);
  expect(JSON.parse((await kconfig("schema", ...small)).out)).toMatchObject({ title: "Small" });
});

test("resolve prints the least configuration with what is asked for", async () => {
  const both = await kconfig("resolve", ...small, "@tcp.config", "BUFFERS=16");
  expect(both).toMatchObject({ status: 0, err: "" });
  expect(both.out).toContain("CONFIG_NET=y\nCONFIG_TCP=y\nCONFIG_HASH=y\n");
  expect(both.out).toContain("CONFIG_BUFFERS=16\n");
  const json = await kconfig("resolve", ...small, "CONFIG_TCP=y", "BUFFERS=16", "--json", "-o", "@both.json");
  expect(json).toEqual({ status: 0, out: "", err: "" });
  expect(JSON.parse(await readFile(join(directory, "both.json"), "utf8"))).toEqual({
    config: both.out,
    weight: 103,
    bound: 103,
    dropped: [],
  });
  const near = await kconfig("resolve", ...small, "TCP=y", "--base", "@net.config", "--json");
  expect(JSON.parse(near.out)).toMatchObject({ weight: 2 });
  await writeFile(join(directory, "weights.json"), '{ "CONFIG_NET": 10, "HASH": 0, "HAHS": 2 }');
  const weighed = await kconfig("resolve", ...small, "TCP=y", "--weights", "@weights.json", "--json");
  expect(JSON.parse(weighed.out)).toMatchObject({ weight: 11 });
  expect(weighed.err).toBe("no such symbol, weighed in vain: HAHS\n");
  expect(await kconfig("resolve", ...small, "--weights", "@net.config")).toMatchObject({
    status: 1,
    err: expect.stringContaining('"@net.config" is no JSON object of symbols and weights') as string,
  });
});

test("resolve tells what cannot be met together", async () => {
  const none = await kconfig("resolve", ...small, "@tcp.config", "NET=n", "64BIT=y", "-o", "@none.config");
  expect(none).toEqual({
    status: 1,
    out: "",
    err: `These cannot be met together, while any of them left out the others can:
  TCP=y, wanted by feature "tcp" (@tcp.config:2:1)
  NET=n, wanted by the command line

because:
  TCP=y needs NET, Kconfig:14
  NET is to be n (the command line)
`,
  });
  await expect(readFile(join(directory, "none.config"))).rejects.toThrow("ENOENT");
  const json = await kconfig("resolve", ...small, "TCP=y", "NET=n", "--json");
  expect(JSON.parse(json.out)).toMatchObject({ core: [{ symbol: "TCP" }, { symbol: "NET", value: "n" }] });
  expect(await kconfig("resolve", ...small, "@tcp.config", "TCP=n")).toMatchObject({
    status: 1,
    err: expect.stringContaining('"TCP" is wanted as y by feature "tcp"') as string,
  });
  expect(await kconfig("resolve", ...small, "--base", "alnoconfig")).toEqual({
    status: 2,
    out: "",
    err:
      'error: There is no base "alnoconfig", and no file of that name\n' +
      'hint: Did you mean "allnoconfig"?\n',
  });
});

test("minimize prints the lines that are needed", async () => {
  await writeFile(
    join(directory, "long.config"),
    "CONFIG_NET=y\nCONFIG_TCP=y\nCONFIG_BUFFERS=8\nCONFIG_HASH=y\n",
  );
  expect(await kconfig("minimize", ...small, "@long.config")).toEqual({
    status: 0,
    out: "CONFIG_NET=y\nCONFIG_TCP=y\n",
    err: "",
  });
  expect(await kconfig("minimize", ...small)).toMatchObject({ status: 2 });
});

test("a record makes the tree readable where its commands cannot run", async () => {
  expect(await kconfig("record", ...small, "-o", "@answers.json")).toMatchObject({ status: 0 });
  const kernel = execFileSync("uname", ["-s"], { encoding: "utf8" }).trim();
  const offline = await kconfig("search", ...small, "--answers", "@answers.json", "^NAME");
  expect(offline.out).toContain(`NAME="${kernel}"`);
  await writeFile(join(directory, "none.json"), '{"format":1,"environment":{},"commands":{}}');
  expect(await kconfig("search", ...small, "--answers", "@none.json", "NET")).toMatchObject({
    status: 1,
    err: expect.stringContaining(
      'hint: The tree or its environment has changed: record it anew with "kconfig',
    ) as string,
  });
});

test("extract reads an image", async () => {
  const config = "CONFIG_NET=y\n# CONFIG_TCP is not set\n";
  const image = Buffer.concat([Buffer.from("IKCFG_ST"), gzipSync(config), Buffer.from("IKCFG_ED\0\0")]);
  await writeFile(join(directory, "vmlinuz"), Buffer.concat([Buffer.alloc(99), gzipSync(image)]));
  expect(await kconfig("extract", "@vmlinuz")).toEqual({ status: 0, out: config, err: "" });
  expect(JSON.parse((await kconfig("extract", "@vmlinuz", "--json")).out)).toEqual({ NET: "y", TCP: "n" });
  const none = await kconfig("extract", "@tree/Kconfig");
  expect(none).toMatchObject({ status: 1, out: "" });
  expect(none.err).toContain(
    'No configuration was found in "@tree/Kconfig"\nhint: The kernel may have been built',
  );
});

test("wrong usage is told with what was meant", async () => {
  expect(await kconfig("serch", "X")).toMatchObject({
    status: 2,
    err: 'error: There is no command "serch"\nhint: Did you mean "search"?\n',
  });
  expect((await kconfig("search", "--srctre", "@tree", "X")).err).toContain('Did you mean "--srctree"?');
  expect(await kconfig("types", ...small, "--config", "@net.config")).toMatchObject({
    status: 2,
    err:
      'error: "kconfig types" has no use for "--config"\n' +
      "hint: It takes --srctree, --arch, --kconfig, --answers, --output\n",
  });
  expect(await kconfig("show", "--srctree", "@none", "X")).toMatchObject({
    status: 1,
    err:
      'error: There is no "Kconfig" in "@none"\n' +
      "hint: Name the directory of the tree with --srctree, its first file with --kconfig\n",
  });
});

test("a broken tree is told with all that is wrong in it", async () => {
  await writeFile(join(directory, "tree/Broken"), "config A\n\tbool\n\tdepend on B\nconfig B\n\tbol\n");
  const { status, err } = await kconfig("search", ...small, "--kconfig", "Broken", "A");
  expect(status).toBe(1);
  expect(err).toMatch(
    /^error: Broken:3:1: .*\n( {2}Broken:3:1: error: .*\n)+( {2}Broken:5:1: error: .*\n)+$/,
  );
});

test(
  "the kernel: what a driver needs, resolved as make would, online and from a record",
  { timeout: 600_000 },
  async () => {
    const tree = ["--srctree", kernelTree("6.12").directory];
    const record = join(directory, "kernel.json");
    expect(await kconfig("record", ...tree, "--arch", "x86_64", "-o", record)).toMatchObject({ status: 0 });
    const offline = [...tree, "--answers", record];
    const resolved = await kconfig("resolve", ...offline, "--base", "@empty.config", "E1000=y");
    expect(resolved).toMatchObject({ status: 0, err: "" });
    expect(resolved.out).toContain("\nCONFIG_E1000=y\n");
    const start = await kconfig("resolve", ...offline, "--base", "defconfig");
    const online = await kconfig("resolve", ...tree, "--arch", "x86_64", "--base", "defconfig");
    expect(online.out).toBe(start.out);
    const other = await kconfig("search", ...offline, "--arch", "arm64", "E1000");
    expect(other.err).toContain("was recorded for ARCH=x86_64, not for arm64");
    const arm = await kconfig("show", ...tree, "--arch", "arm64", "ARM64");
    expect(arm.out).toContain("ARM64=y\n");
  },
);

test("a reader that ends early is no failure", async () => {
  const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
  const script = `"${process.execPath}" "${cli}" show --srctree "${directory}/tree" NET | true; echo \${PIPESTATUS[0]}`;
  const printed = await new Promise<string>((resolve) => {
    execFile("bash", ["-c", script], (_, stdout, stderr) => resolve(`${stdout}${stderr}`));
  });
  expect(printed).toBe("0\n");
});
