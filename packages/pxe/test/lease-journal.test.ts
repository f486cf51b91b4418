import {
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
  appendFile,
} from "node:fs/promises";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { journalHeader, journalLine, readJournal, type Lease, type PxeEventBody } from "../src/index.ts";
import { openLeaseFile } from "../src/internal/lease-file.ts";
import { mutator } from "./fuzz.ts";

const clocks = { monotonic: 1000, wall: 1_700_000_000_000 };
const lease = (number: number, change: Partial<Lease> = {}): Lease => ({
  address: `10.0.${number >> 8}.${number & 255}`,
  mac: "02:00:00:00:00:01",
  clientId: "ff01",
  state: "bound",
  expires: 601_000 + number,
  boot: false,
  ...change,
});
const text = (leases: readonly Lease[]): Buffer =>
  Buffer.from(journalHeader() + leases.map((one) => journalLine(one, clocks)).join(""));

let directory = "";
let path = "";
let events: PxeEventBody[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-leases-"));
  path = join(directory, "deep", "leases");
  events = [];
});
afterEach(() => rm(directory, { recursive: true }));
const openIt = (host: Parameters<typeof openLeaseFile>[0]["host"] = {}) =>
  openLeaseFile({ path, clocks: () => clocks, onEvent: (event) => events.push(event), host });
type File = Awaited<ReturnType<typeof openIt>>;
const append = (file: File, one: Lease): Promise<void> => new Promise((done) => file.append(one, done));

describe("the bytes", () => {
  test("what is written is read; the last line about an address counts; clocks of two runs are put together", () => {
    const all = [lease(1), lease(2, { clientId: undefined, boot: true }), lease(1, { state: "released" })];
    const later = { monotonic: 5, wall: clocks.wall + 60_000 };
    const journal = readJournal(text(all), later);
    expect(journal?.leases).toEqual(
      [
        lease(1, { state: "released", expires: 601_001 - 1000 - 60_000 + 5 }),
        { ...lease(2, { boot: true, expires: 601_002 - 1000 - 60_000 + 5 }), clientId: undefined },
      ].map(({ clientId, ...rest }) => (clientId === undefined ? rest : { ...rest, clientId })),
    );
    expect(journal).toMatchObject({ damaged: 0, end: text(all).length });
  });
  test("cut at any byte: every whole line counts, and nothing else", () => {
    const all = Array.from({ length: 5 }, (_, number) => lease(number));
    const bytes = text(all);
    for (let length = 0; length <= bytes.length; length++) {
      const part = bytes.subarray(0, length);
      const whole = part.toString().split("\n").length - 1;
      const journal = readJournal(part, clocks);
      expect(journal?.leases.length).toBe(whole === 0 ? undefined : whole - 1);
      if (journal) expect(journal.end).toBe(part.lastIndexOf(10) + 1);
    }
  });
  test("a changed byte costs its own line at most, wherever it is", () => {
    const all = Array.from({ length: 20 }, (_, number) => lease(number));
    const bytes = text(all);
    const random = mutator();
    for (let round = 0; round < 3000; round++) {
      const hurt = Buffer.from(bytes);
      const at = journalHeader().length + random.below(bytes.length - journalHeader().length);
      hurt[at] = (hurt[at] ?? 0) ^ (1 + random.below(255));
      const left = readJournal(hurt, clocks)?.leases ?? [];
      // A newline that is gone joins two lines.
      expect(left.length).toBeGreaterThanOrEqual(bytes[at] === 10 ? 18 : 19);
      for (const one of left) expect(all).toContainEqual(one);
    }
  });
  test.each(["", "root:x:0:0\n", "{}\n", journalHeader().replace("1}", "2}")])(
    "%j is no journal",
    (other) => {
      expect(readJournal(Buffer.from(other), clocks)).toBeUndefined();
    },
  );
});

describe("the file", () => {
  test("is made with its directory, and read again", async () => {
    const file = await openIt();
    expect(file.leases).toEqual([]);
    await Promise.all([
      append(file, lease(1)),
      append(file, lease(2)),
      append(file, lease(1, { boot: true })),
    ]);
    await file.close();
    const again = await openIt();
    expect(again.leases).toEqual([lease(1, { boot: true }), lease(2)]);
    await again.close();
    expect(events).toEqual([]);
  });
  test("a torn end is cut off, and damage in the middle left out, with a warning; what follows is written well", async () => {
    const file = await openIt();
    for (const number of [1, 2, 3]) await append(file, lease(number));
    await file.close();
    await truncate(path, (await stat(path)).size - 10);
    const torn = await openIt();
    expect(torn.leases).toEqual([lease(1), lease(2)]);
    await append(torn, lease(4));
    await torn.close();
    expect(events).toMatchObject([
      { code: "leases-damaged", message: expect.stringMatching(/bytes of a torn end/) },
    ]);
    const bytes = await readFile(path);
    bytes[bytes.indexOf("10.0.0.2")] = 57;
    await writeFile(path, bytes);
    await (await openIt()).close();
    expect(events[1]).toMatchObject({
      message: expect.stringMatching(/1 damaged lines were left out and 0 bytes/),
    });
    const last = await openIt();
    expect(last.leases).toEqual([lease(1), lease(4)]);
    await last.close();
    expect(events.length).toBe(2);
  });
  test("a file that is something else is refused and left as it is", async () => {
    await (await openIt()).close();
    await writeFile(path, "precious\n");
    await expect(openIt()).rejects.toMatchObject({ code: "PXE_LEASES_INVALID" });
    expect(await readFile(path, "utf8")).toBe("precious\n");
  });
  test("a place that cannot be written to is an error that names it", async () => {
    path = "/proc/leases";
    await expect(openIt()).rejects.toMatchObject({
      code: "PXE_LEASES_FAILED",
      message: expect.stringContaining('"/proc/leases"'),
    });
  });
  test("many records share a sync, and none is confirmed before its own", async () => {
    let syncs = 0;
    let release: () => void = () => undefined;
    const gate = { hold: false };
    const file = await openIt({
      open: async (...args: Parameters<typeof open>) => {
        const handle = await open(...args);
        const sync = handle.datasync.bind(handle);
        handle.datasync = async () => {
          syncs++;
          if (gate.hold) await new Promise<void>((go) => (release = go));
          return sync();
        };
        return handle;
      },
    });
    const before = syncs;
    gate.hold = true;
    const done: number[] = [];
    for (let number = 0; number < 500; number++) file.append(lease(number), () => done.push(number));
    await vi.waitFor(() => expect(syncs).toBe(before + 1));
    // It is written, but not yet safe.
    expect((await readFile(path, "utf8")).split("\n").length).toBe(502);
    expect(done).toEqual([]);
    gate.hold = false;
    release();
    await vi.waitFor(() => expect(done.length).toBe(500));
    expect(done).toEqual(Array.from({ length: 500 }, (_, number) => number));
    expect(syncs).toBe(before + 1);
    await file.close();
  });
  test("a failed write confirms nothing, is reported once, and the next that succeeds leaves a sound file", async () => {
    let broken = false;
    const file = await openIt({
      open: async (...args: Parameters<typeof open>) => {
        if (broken) throw new Error("ENOSPC: no space left on device");
        const handle = await open(...args);
        const write = handle.appendFile.bind(handle);
        handle.appendFile = async (data, options) => {
          if (!broken) return write(data, options);
          await write((data as string).slice(0, 20), options);
          throw new Error("ENOSPC: no space left on device");
        };
        return handle;
      },
    });
    await append(file, lease(1));
    broken = true;
    let confirmed = 0;
    for (let number = 2; number < 5; number++) {
      file.append(lease(number), () => confirmed++);
      await vi.waitFor(() => expect(events.length).toBe(1));
      await new Promise((next) => setTimeout(next, 20));
    }
    expect([confirmed, events.length]).toEqual([0, 1]);
    expect(events[0]).toMatchObject({ code: "leases-failed", message: expect.stringContaining("ENOSPC") });
    broken = false;
    await append(file, lease(9));
    await file.close();
    const again = await openIt();
    expect(again.leases).toEqual([lease(1), lease(9)]);
    expect(events.length).toBe(1);
    await again.close();
  });
  test("is written anew when most of it is out of date, while records go on", async () => {
    const file = await openIt({ leastBytes: 20_000 });
    const random = mutator();
    const last = new Map<string, Lease>();
    let largest = 0;
    for (let round = 0; round < 200; round++) {
      const batch = Array.from({ length: 20 }, () => lease(random.below(100), { expires: round * 1000 }));
      for (const one of batch) last.set(one.address, one);
      await Promise.all(batch.map((one) => append(file, one)));
      const { size } = await stat(path);
      largest = Math.max(largest, size);
    }
    await file.close();
    // 4,000 records of some 140 bytes, of which 100 count.
    expect(largest).toBeLessThan(100_000);
    const again = await openIt();
    expect(new Map(again.leases.map((one) => [one.address, one]))).toEqual(last);
    await again.close();
    expect(await readFile(`${path}.new`).catch(() => "none")).toBe("none");
  });
});

test("killed after any of the steps of being written anew: what was confirmed is there", async () => {
  /** Opens files whose operations end, all at once, after so many. */
  const mortal = (steps: number) => {
    const handles: Awaited<ReturnType<typeof open>>[] = [];
    let left = steps;
    let die: (how: "dead") => void = () => undefined;
    const death = new Promise<"dead">((resolve) => (die = resolve));
    const act = <T>(operation: () => Promise<T>): Promise<T> => {
      if (left-- > 0) return operation();
      die("dead");
      return new Promise<never>(() => undefined);
    };
    const host = (...args: Parameters<typeof open>) =>
      act(async () => {
        const handle = await open(...args);
        handles.push(handle);
        for (const name of ["appendFile", "datasync"] as const) {
          const original = handle[name].bind(handle) as (...all: unknown[]) => Promise<void>;
          handle[name] = (...all: unknown[]) => act(() => original(...all));
        }
        return handle;
      });
    return {
      host,
      death,
      bury: () => Promise.all(handles.map((handle) => handle.close().catch(() => undefined))),
    };
  };
  let steps = 4;
  for (let alive = false; !alive; steps++) {
    path = join(directory, `leases-${steps}`);
    const { host, death, bury } = mortal(steps);
    const confirmed = new Map<string, Lease>();
    const life = async (): Promise<"survived"> => {
      const file = await openIt({ open: host, leastBytes: 1500 });
      for (let number = 0; number < 25; number++) {
        const one = lease(number % 5, { expires: 700_000 + number });
        await append(file, one);
        confirmed.set(one.address, one);
      }
      await file.close();
      return "survived";
    };
    alive = (await Promise.race([life(), death])) === "survived";
    // Read as it is: this process still holds the lock of the dead one.
    const there = await readFile(path).catch(() => Buffer.from(journalHeader()));
    const kept = new Map(readJournal(there, clocks)?.leases.map((one) => [one.address, one]));
    for (const one of confirmed.values()) {
      expect(kept.get(one.address)?.expires, `${steps} steps`).toBeGreaterThanOrEqual(one.expires);
    }
    await bury();
  }
  // 25 records of two steps each, and some rewriting of five more.
  expect(steps).toBeGreaterThan(60);
});

describe("the lock", () => {
  test("a second server is refused, also by another name of the file", async () => {
    const file = await openIt();
    await expect(openIt()).rejects.toMatchObject({ code: "PXE_LEASES_LOCKED" });
    const other = join(directory, "link");
    await symlink(path, other);
    path = other;
    await expect(openIt()).rejects.toMatchObject({ code: "PXE_LEASES_LOCKED" });
    await file.close();
    await (await openIt()).close();
  });
  test("is taken in a directory whose path is longer than a socket's address can be", async () => {
    path = join(directory, "d".repeat(100), "eth0.leases");
    const file = await openIt();
    await expect(openIt()).rejects.toMatchObject({ code: "PXE_LEASES_LOCKED" });
    await file.close();
    expect(await readdir(dirname(path))).toEqual(["eth0.leases"]);
    await (await openIt()).close();
  });
  test("a killed owner's lock is no obstacle, and of many who find it one gets it", async () => {
    await (await openIt()).close();
    const module = new URL("../src/internal/lease-file.ts", import.meta.url).href;
    const program = `
      import { openLeaseFile } from ${JSON.stringify(module)};
      const options = { path: process.argv[1], clocks: () => ({ monotonic: 0, wall: 0 }), onEvent() {} };
      const got = await openLeaseFile(options).then(() => "got it", (error) => error.code);
      console.log(got);
      setInterval(() => {}, 1000);
    `;
    const start = () => spawn(process.execPath, ["--input-type=module", "-e", program, path]);
    const first = start();
    await once(first.stdout, "data");
    first.kill("SIGKILL");
    await once(first, "exit");
    const rivals = Array.from({ length: 4 }, start);
    const said = await Promise.all(
      rivals.map(async (rival) => String(await once(rival.stdout, "data")).trim()),
    );
    for (const rival of rivals) rival.kill("SIGKILL");
    expect(said.sort()).toEqual([...Array.from({ length: 3 }, () => "PXE_LEASES_LOCKED"), "got it"]);
    await appendFile(path, "");
  });
});
