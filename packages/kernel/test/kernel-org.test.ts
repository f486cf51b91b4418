import { execFile } from "node:child_process";
import { mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { fetchSource, resolveSource } from "../src/index.ts";
import type { KernelContext, KernelProgress, ResolvedSource } from "../src/index.ts";
import { sha256File } from "../src/internal/download.ts";
import { startMirror } from "./support/mirror.ts";
import type { Mirror } from "./support/mirror.ts";
import { names, scratchDirectory, smallTarball } from "./support/real-source.ts";

const execFileAsync = promisify(execFile);
const SUMS = "/pub/v6.x/sha256sums.asc";
let scratch: string;
let small: string;
let sum: string;
let home: string;
let keyring: string;
let mirror: Mirror;
let cacheDir: string;
let count = 0;

// As kernel.org's: what is newest by number is not what is newest by the alphabet.
const releases = JSON.stringify({
  latest_stable: { version: "6.17.9" },
  releases: [
    { moniker: "mainline", version: "6.18", iseol: false },
    { moniker: "stable", version: "6.17.9", iseol: false },
    { moniker: "longterm", version: "6.6.117", iseol: false },
    { moniker: "longterm", version: "6.12.59", iseol: false },
    { moniker: "longterm", version: "5.15.197", iseol: false },
    { moniker: "linux-next", version: "next-20251127", iseol: false },
  ],
});
const versions = ["6.11", "6.11.11", "6.12", "6.12.9", "6.12.59", "6.17.9", "6.18"];

function sumsOf(list: readonly string[]): string {
  return [...list, "6.12.590-not"].map((version) => `${sum}  linux-${version}.tar.xz\n`).join("");
}

const gpg = (...args: string[]): Promise<unknown> =>
  execFileAsync("gpg", ["--batch", "--homedir", home, ...args]);

async function sign(text: string): Promise<string> {
  const plain = join(home, "plain");
  await writeFile(plain, text);
  await gpg("--yes", "--output", `${plain}.asc`, "--clear-sign", plain);
  return readFile(`${plain}.asc`, "utf8");
}

beforeAll(async () => {
  scratch = await scratchDirectory();
  small = await smallTarball(scratch, "linux-6.12.59");
  sum = await sha256File(small);
  home = join(scratch, "gnupg");
  await mkdir(home, { mode: 0o700 });
  await gpg(
    "--passphrase",
    "",
    "--quick-gen-key",
    "Autosigner <autosigner@example.org>",
    "ed25519",
    "sign",
    "never",
  );
  keyring = join(home, "kernel.org.gpg");
  await gpg("--output", keyring, "--export");
}, 60_000);
afterAll(async () => {
  await execFileAsync("gpgconf", ["--homedir", home, "--kill", "gpg-agent"]);
});
beforeEach(async () => {
  mirror = await startMirror({ [SUMS]: await sign(sumsOf(versions)), "/pub/releases.json": releases });
  for (const version of versions) mirror.files[`/pub/v6.x/linux-${version}.tar.xz`] = { path: small };
  cacheDir = join(scratch, `cache-${count++}`);
});

const resolve = (
  version: string,
  more: { keyring?: string } = {},
  context: KernelContext & { refresh?: boolean } = {},
): Promise<ResolvedSource> =>
  resolveSource({ kind: "kernel.org", version, mirror: mirror.url, ...more }, { cacheDir, ...context });

test.each([
  ["6.12", "6.12"],
  ["6.12.9", "6.12.9"],
  ["6.12.y", "6.12.59"],
  ["6.11.y", "6.11.11"],
  ["6.18.y", "6.18"],
  ["stable", "6.17.9"],
  ["latest-lts", "6.12.59"],
  ["mainline", "6.18"],
])("the word %s means %s", async (word, version) => {
  const { id, provenance } = await resolve(word);
  expect(id).toBe(`linux-${version}-${sum.slice(0, 16)}`);
  expect(provenance.origin).toBe(`${mirror.url}/v6.x/linux-${version}.tar.xz`);
});

test("what a word means is kept, usable offline, and asked again when it is old or refreshed", async () => {
  await resolve("6.12.y");
  await resolve("latest-lts");
  expect(mirror.requests).toEqual([`GET ${SUMS}`, "GET /pub/releases.json"]);
  mirror.files[SUMS] = await sign(sumsOf([...versions, "6.12.60"]));
  expect((await resolve("6.12.y")).id).toContain("6.12.59");
  expect((await resolve("6.12.y", {}, { refresh: true })).id).toContain("6.12.60");

  mirror.files[SUMS] = await sign(sumsOf([...versions, "6.12.61"]));
  const kept = join(cacheDir, "kernel/releases");
  const yesterday = new Date(Date.now() - 24 * 3_600_000);
  for (const name of await names(kept)) await utimes(join(kept, name), yesterday, yesterday);
  const asked = mirror.requests.length;
  expect((await resolve("6.12.y", {}, { offline: true })).id).toContain("6.12.60");
  expect((await resolve("latest-lts", {}, { offline: true })).id).toContain("6.12.59");
  expect(mirror.requests).toHaveLength(asked);

  // A network that fails is told, and what was known is used.
  mirror.failures = { status: 500, times: 1 };
  const told: string[] = [];
  const onProgress = ({ message }: KernelProgress): void => void told.push(message ?? "");
  expect((await resolve("6.12.y", {}, { onProgress })).id).toContain("6.12.60");
  expect(told).toEqual([
    `"${mirror.url}/v6.x/sha256sums.asc" answers with status 500; what was fetched earlier is used`,
  ]);
  expect((await resolve("6.12.y")).id).toContain("6.12.61");
});

test("a release that came after the list was kept is found", async () => {
  await resolve("6.12.9");
  mirror.files[SUMS] = await sign(sumsOf([...versions, "6.12.60"]));
  expect((await resolve("6.12.60")).id).toContain("6.12.60");
});

test("words that mean nothing are told with what was probably meant", async () => {
  await expect(resolve("lates-lts")).rejects.toMatchObject({
    message: '"lates-lts" is no kernel release',
    hint: 'Did you mean "latest-lts"?',
  });
  await expect(resolve("6.13.y")).rejects.toMatchObject({
    message: `"${mirror.url}/v6.x/sha256sums.asc" has no release of the series "6.13"`,
    hint: expect.stringMatching(/^Did you mean "6\.1[128]\.y"\?$/) as string,
  });
  await expect(
    resolve("6.12.y", {}, { offline: true, cacheDir: join(scratch, "empty") }),
  ).rejects.toMatchObject({
    code: "KERNEL_DOWNLOAD",
    hint: "Run it once without the offline option",
  });
});

test("sums that are signed by a key of the keyring are used, and the provenance says by which", async () => {
  const source = await resolve("6.12.59", { keyring });
  expect(source.provenance.signature).toMatch(/^good, by the key [0-9A-F]{40}$/);
  expect(await names(await fetchSource(source, { cacheDir }))).toContain("Kconfig");
  const events: KernelProgress[] = [];
  const unsigned = await resolve("6.12.9");
  expect(unsigned.provenance.signature).toMatch(/^not checked: /);
  await fetchSource(unsigned, { cacheDir, onProgress: (event) => events.push(event) });
  expect(events[0]?.message).toMatch(/^linux-6\.12\.9\.tar\.xz: signature not checked: /);
});

test("sums that were changed, are not signed, or by another key are refused", async () => {
  const good = mirror.files[SUMS] as string;
  const refused = {
    code: "KERNEL_CHECKSUM",
    message: expect.stringContaining("is not good by the keyring") as string,
  };
  mirror.files[SUMS] = good.replace(
    sum,
    sum.replace(/^./, (digit) => (digit === "0" ? "1" : "0")),
  );
  await expect(resolve("6.12.59", { keyring })).rejects.toMatchObject(refused);
  mirror.files[SUMS] = sumsOf(versions);
  await expect(resolve("6.12.59", { keyring })).rejects.toMatchObject(refused);
  // What stands before the signed text is no part of it.
  mirror.files[SUMS] = `${sumsOf(["6.12.77"])}\n${good}`;
  await expect(resolve("6.12.77", { keyring })).rejects.toMatchObject(refused);
  mirror.files[SUMS] = `${good}\n${sumsOf(["6.12.77"])}`;
  await expect(resolve("6.12.77", { keyring })).rejects.toMatchObject({
    message: expect.stringContaining("6.12.77") as string,
  });

  mirror.files[SUMS] = good;
  const other = join(scratch, "other-keys.gpg");
  await writeFile(other, "");
  await expect(resolve("6.12.59", { keyring: other })).rejects.toMatchObject(refused);
  await expect(resolve("6.12.59", { keyring: join(scratch, "none") })).rejects.toMatchObject(refused);
  // What was refused is not kept.
  expect((await resolve("6.12.59", { keyring })).provenance.signature).toMatch(/^good/);
});
