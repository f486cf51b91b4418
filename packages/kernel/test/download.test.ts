import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import type { KernelProgress } from "../src/index.ts";
import { download, sha256File } from "../src/internal/download.ts";
import { fetchText } from "../src/internal/http.ts";
import { startMirror } from "./support/mirror.ts";
import type { Mirror } from "./support/mirror.ts";
import { names, scratchDirectory } from "./support/real-source.ts";

const SIZE = 400_000;
const PATIENCE = { stall: 300, backOff: 10, attempts: 3 };
let scratch: string;
let file: string;
let sum: string;
let mirror: Mirror;
let directory: string;
let count = 0;

beforeAll(async () => {
  scratch = await scratchDirectory();
  file = join(scratch, "served.tar.xz");
  await writeFile(file, randomBytes(SIZE));
  sum = await sha256File(file);
});
beforeEach(async () => {
  mirror = await startMirror({ "/pub/f": { path: file } });
  directory = join(scratch, `d${count++}`);
});

const get = (
  onProgress?: (event: KernelProgress) => void,
  signal?: AbortSignal,
  wanted: string = sum,
): Promise<void> =>
  download(`${mirror.url}/f`, join(directory, "f"), wanted, { onProgress, signal }, PATIENCE);

async function expectWhole(): Promise<void> {
  expect(await names(directory), "nothing else is left").toEqual(["f"]);
  expect(await readFile(join(directory, "f"))).toEqual(await readFile(file));
}

test("a whole file comes with one request and honest progress", async () => {
  const events: KernelProgress[] = [];
  await get((event) => events.push(event));
  await expectWhole();
  expect(mirror.requests).toEqual(["GET /pub/f"]);
  expect(events.at(-1)).toEqual({ phase: "download", done: SIZE, total: SIZE, unit: "bytes", message: "f" });
  await get();
  expect(mirror.requests, "what is there is not asked for").toHaveLength(1);
  await writeFile(join(directory, "f"), "spoilt since");
  await get();
  await expectWhole();
});

test("a connection that breaks or stalls is continued from where it was, if the file is still the same", async () => {
  mirror.etag = '"one"';
  mirror.breakAfter = 100_000;
  await get();
  await expectWhole();
  expect(mirror.requests[1]).toMatch(/^GET \/pub\/f bytes=[1-9]\d+-$/);
  expect(mirror.conditions).toEqual(['"one"']);

  directory = join(scratch, "stalled");
  mirror.stallAfter = 100_000;
  await get();
  await expectWhole();
  expect(mirror.requests[3]).toMatch(/ bytes=[1-9]\d+-$/);
});

test("a server that changed its file meanwhile, or ignores Range, gives the whole again", async () => {
  mirror.etag = '"old"';
  mirror.breakAfter = 100_000;
  const stop = new AbortController();
  await expect(get(({ done }) => done > 0 && stop.abort(), stop.signal)).rejects.toMatchObject({
    code: "KERNEL_ABORTED",
  });
  mirror.breakAfter = undefined;
  mirror.etag = '"new"';
  await get();
  await expectWhole();

  directory = join(scratch, "ignores");
  mirror.ignoreRange = true;
  mirror.breakAfter = 100_000;
  await get();
  await expectWhole();
});

test("a redirect is followed", async () => {
  mirror.files["/pub/moved"] = { path: file };
  mirror.files["/pub/f"] = { redirect: "/pub/moved" };
  await get();
  await expectWhole();
});

test("one wrong byte in what an earlier call left is mended, one in what is served is an error", async () => {
  mirror.breakAfter = 100_000;
  const stop = new AbortController();
  await get(({ done }) => done > 50_000 && stop.abort(), stop.signal).catch(() => {});
  mirror.breakAfter = undefined;
  const part = await readFile(join(directory, "f.part"));
  part[1000] = (part[1000] ?? 0) ^ 1;
  await writeFile(join(directory, "f.part"), part);
  await get();
  await expectWhole();

  directory = join(scratch, "wrong");
  const bytes = await readFile(file);
  bytes[SIZE - 1] = (bytes[SIZE - 1] ?? 0) ^ 1;
  const wrong = join(scratch, "wrong-file");
  await writeFile(wrong, bytes);
  mirror.files["/pub/f"] = { path: wrong };
  await expect(get()).rejects.toMatchObject({
    code: "KERNEL_CHECKSUM",
    message: `"${mirror.url}/f" has the sha256 ${await sha256File(wrong)}, but the published one is ${sum}`,
    hint: "The file was removed; try again, and if it stays so do not trust this mirror",
  });
  expect(await names(directory)).toEqual([]);
});

test("a file that is cut on the server is an error, and nothing of it is kept", async () => {
  mirror.cutAt = 300_000;
  await expect(get()).rejects.toMatchObject({ code: "KERNEL_CHECKSUM" });
  expect(await names(directory)).toEqual([]);
});

test("a busy server is asked again, a 404 is final, and a server that only breaks is given up", async () => {
  mirror.failures = { status: 503, times: 2 };
  await get();
  await expectWhole();

  directory = join(scratch, "missing");
  delete mirror.files["/pub/f"];
  const before = mirror.requests.length;
  await expect(get()).rejects.toMatchObject({
    code: "KERNEL_DOWNLOAD",
    message: `"${mirror.url}/f" answers with status 404`,
    hint: "Check the version, or name another mirror",
  });
  expect(mirror.requests.length - before).toBe(1);

  mirror.failures = { status: 503, times: 99 };
  await expect(get()).rejects.toMatchObject({
    code: "KERNEL_DOWNLOAD",
    message: `The download of "${mirror.url}/f" broke off 3 times: status 503`,
    hint: "Run it again: it goes on where it stopped",
  });
  expect(await names(directory)).toEqual([]);
  await expect(
    download("http://127.0.0.1:1/f", join(directory, "f"), sum, {}, PATIENCE),
  ).rejects.toMatchObject({
    message: expect.stringContaining('Cannot reach "http://127.0.0.1:1/f": ') as string,
    hint: "Check the network, or name another mirror",
  });
});

test("a list that stalls is given up", async () => {
  mirror.stallAfter = 100_000;
  await expect(fetchText(`${mirror.url}/f`, {}, PATIENCE)).rejects.toMatchObject({
    code: "KERNEL_DOWNLOAD",
    message: `Cannot reach "${mirror.url}/f": no byte came for 0.3 s`,
  });
});

test("two calls at once download once, and offline asks nobody", async () => {
  await Promise.all([get(), get()]);
  await expectWhole();
  expect(mirror.requests).toHaveLength(1);
  const elsewhere = join(scratch, "offline/f");
  await expect(download(`${mirror.url}/f`, elsewhere, sum, { offline: true })).rejects.toMatchObject({
    code: "KERNEL_DOWNLOAD",
    message: `"${mirror.url}/f" is not in the cache, and the network is not to be used`,
    hint: "Run it once without the offline option",
  });
  expect(mirror.requests).toHaveLength(1);
});
