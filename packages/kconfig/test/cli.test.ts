import { execFile, execFileSync } from "node:child_process";
import { lstat, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../src/command.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "kconfig-cli-"));
  await writeFile(join(directory, "a"), 'CONFIG_A=y\nCONFIG_B=m\nCONFIG_S="x"\n');
  await writeFile(join(directory, "b"), "CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n");
  await writeFile(join(directory, "f"), "# feature: f\nCONFIG_C=y\nCONFIG_B=m\n");
  await writeFile(join(directory, "g"), "CONFIG_C=m\n");
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function kconfig(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const status = await main(
    args.map((arg) => arg.replace("@", `${directory}/`)),
    { stdout: (text) => (out += text), stderr: (text) => (err += text) },
  );
  return { status, out, err: err.replaceAll(`${directory}/`, "@") };
}

test("diff", async () => {
  expect(await kconfig("diff", "@a", "@b")).toEqual({ status: 0, out: '-S "x"\n+C y\n B m -> y\n', err: "" });
  const { out } = await kconfig("diff", "@a", "@b", "--json");
  expect(JSON.parse(out)).toEqual({
    added: [{ symbol: "C", after: "y" }],
    removed: [{ symbol: "S", before: '"x"' }],
    changed: [{ symbol: "B", before: "m", after: "y" }],
  });
});

test("what is no file is written to, and stays what it is", async () => {
  const pipe = join(directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  const [text] = await Promise.all([readFile(pipe, "utf8"), kconfig("merge", "@a", "@f", "-o", "@pipe")]);
  expect(text).toBe('CONFIG_A=y\nCONFIG_B=m\nCONFIG_S="x"\nCONFIG_C=y\n');
  expect((await lstat(pipe)).isFIFO()).toBe(true);
  await writeFile(join(directory, "behind"), "");
  await symlink("behind", join(directory, "link"));
  await kconfig("merge", "@a", "@f", "-o", "@link");
  expect(await readFile(join(directory, "behind"), "utf8")).toBe(text);
  expect((await lstat(join(directory, "link"))).isSymbolicLink()).toBe(true);
});

test("merge prints, or writes a file", async () => {
  const merged = 'CONFIG_A=y\nCONFIG_B=m\nCONFIG_S="x"\nCONFIG_C=y\n';
  expect((await kconfig("merge", "@a", "@f")).out).toBe(merged);
  expect((await kconfig("merge", "@a", "@f", "-o", "@out")).out).toBe("");
  expect(await readFile(join(directory, "out"), "utf8")).toBe(merged);
  const json = await kconfig("merge", "@a", "@f", "--json");
  expect(JSON.parse(json.out)).toEqual({ A: "y", B: "m", S: '"x"', C: "y" });
  const conflict = await kconfig("merge", "@a", "@f", "@g");
  expect(conflict.status).toBe(1);
  expect(conflict.err).toContain('"C" is wanted as y by feature "f" (@f:2:1) and as m by @g (@g:1:1)');
});

test("check exits 1 with every refusal", async () => {
  expect(await kconfig("check", "@f", "--config", "@b")).toEqual({
    status: 1,
    out: expect.stringContaining('"B" should be m but is y, wanted by feature "f"') as string,
    err: "",
  });
  expect(await kconfig("check", "@g", "--config", "@g")).toMatchObject({ status: 0 });
});

test("get and count", async () => {
  expect(await kconfig("get", "@a", "CONFIG_B", "S")).toMatchObject({ status: 0, out: 'B=m\nS="x"\n' });
  expect(await kconfig("get", "@a", "NOPE")).toMatchObject({ status: 1, out: "NOPE=(not named)\n" });
  expect((await kconfig("count", "@a")).out).toContain("2 set (1 y, 1 m), 1 numbers and strings");
});

test("wrong usage is told with what was meant and exits 2", async () => {
  expect(await kconfig("dif", "@a", "@b")).toEqual({
    status: 2,
    out: "",
    err: 'error: There is no command "dif"\nhint: Did you mean "diff"?\n',
  });
  expect((await kconfig("diff", "--jso")).err).toContain('Did you mean "--json"?');
  expect(await kconfig("diff", "@a")).toMatchObject({ status: 2 });
  expect(await kconfig("count", "@missing")).toMatchObject({
    status: 1,
    err: 'error: Cannot read "@missing": there is no such file\n',
  });
});

test("the executable runs", async () => {
  const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
  const out = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [cli, "count", join(directory, "b"), "--json"], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
  expect(JSON.parse(out)).toEqual([{ file: join(directory, "b"), set: 3, y: 3, m: 0, other: 0 }]);
});
