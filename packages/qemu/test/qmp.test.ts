import type { ChildProcess } from "node:child_process";
import { Duplex, PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { QemuError } from "../src/index.ts";
import { connectQmp, type QmpClient } from "../src/qmp.ts";
import { bareQemu } from "./support/bare-qemu.ts";

const children: ChildProcess[] = [];
let schema: QmpClient | undefined;
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function realQemu(...args: string[]): Duplex {
  const { process: child, monitor } = bareQemu(...args);
  children.push(child);
  return monitor;
}

describe("against a real QEMU", () => {
  test("greets, answers in parallel, refuses, tells of events, and closes", async () => {
    const qmp = await connectQmp(realQemu());
    expect(qmp.version).toMatch(/^\d+\.\d+\.\d+$/);
    const [status, name, help] = await Promise.all([
      qmp.execute("query-status"),
      qmp.execute("query-name"),
      qmp.execute("human-monitor-command", { "command-line": "info version" }),
    ]);
    expect(status.running).toBe(true);
    expect(name).toEqual({});
    expect(help).toContain(qmp.version);
    await expect(qmp.execute("no-such-command")).rejects.toMatchObject({
      code: "QEMU_QMP_FAILED",
      message: 'QEMU refused "no-such-command": The command no-such-command has not been found',
      qmpClass: "CommandNotFound",
    });
    await expect(qmp.execute("device_del", { id: "none" })).rejects.toMatchObject({
      message: `QEMU refused "device_del": Device 'none' not found`,
      qmpClass: "DeviceNotFound",
    });
    await expect(qmp.execute("cont", { now: true } as never)).rejects.toMatchObject({
      qmpClass: "GenericError",
    });
    await qmp.execute("stop");
    await qmp.execute("quit");
    const events: string[] = [];
    // A reader that comes late gets the events from the first on.
    for await (const { event } of qmp.events()) events.push(event);
    expect(events).toEqual(["STOP", "SHUTDOWN"]);
    await qmp.closed;
    await expect(qmp.execute("query-status")).rejects.toMatchObject({ code: "QEMU_QMP_CLOSED" });
  });

  test.each<[boolean, ...Parameters<QmpClient["supports"]>]>([
    [true, "command", "yank"],
    [false, "command", "SHUTDOWN"],
    [false, "command", "no-such-command"],
    [true, "event", "SHUTDOWN", "reason", "guest-reset"],
    [false, "event", "SHUTDOWN", "reason", "guest-is-bored"],
    [true, "command", "screendump", "format", "png"],
    [false, "command", "screendump", "format", "gif"],
    [true, "command", "migrate-set-capabilities", "capabilities", "capability", "x-ignore-shared"],
    // A member of one variant, and one behind an alternate.
    [true, "command", "blockdev-add", "filename"],
    [true, "command", "blockdev-add", "file", "driver", "qcow2"],
    [false, "command", "blockdev-add", "filename", "further"],
    [false, "command", "query-status", "argument"],
  ])("supports: %s for %s %s %s %s", async (supported, ...what) => {
    schema ??= await connectQmp(realQemu());
    expect(await schema.supports(...what)).toBe(supported);
  });

  test("each removal of a device is told to who waits for that one", async () => {
    const qmp = await connectQmp(realQemu("-M", "q35", "-S", "-device", "qemu-xhci,id=usb"));
    for (let round = 0; round < 20; round += 1) {
      const ids = [`even${round}`, `odd${round}`];
      const add = (id: string): Promise<unknown> =>
        qmp.execute("device_add", { driver: "usb-kbd", bus: "usb.0", id });
      const remove = (id: string): Promise<unknown> => qmp.execute("device_del", { id });
      const gone = ids.map((id) => qmp.next("DEVICE_DELETED", { where: ({ device }) => device === id }));
      await Promise.all(ids.map((id) => add(id)));
      await Promise.all(ids.map((id) => remove(id)));
      const events = await Promise.all(gone);
      expect(events.map(({ data }) => data.device)).toEqual(ids);
    }
  });

  test("a command out of band overtakes those that take long", async () => {
    const qmp = await connectQmp(realQemu());
    expect(qmp.outOfBand).toBe(true);
    const order: string[] = [];
    const slow = Array.from({ length: 4 }, () =>
      qmp.execute("query-qmp-schema").then(() => order.push("schema")),
    );
    const yank = qmp.execute("yank", { instances: [] }, { outOfBand: true }).then(() => order.push("yank"));
    await Promise.all([...slow, yank]);
    expect(order.at(-1)).toBe("schema");
    await expect(qmp.execute("query-name", undefined, { outOfBand: true })).rejects.toMatchObject({
      code: "QEMU_QMP_FAILED",
      message: expect.stringContaining("does not support OOB"),
    });
  });

  test("what QEMU cannot read is refused, and so is what cannot be said", async () => {
    const qmp = await connectQmp(realQemu());
    const unread = qmp.execute("human-monitor-command", { "command-line": "\ud800" });
    const status = qmp.execute("query-status");
    await expect(unread).rejects.toMatchObject({
      code: "QEMU_QMP_FAILED",
      message: expect.stringMatching(/^QEMU refused "human-monitor-command": JSON parse error/),
    });
    expect((await status).running).toBe(true);
    await expect(qmp.execute("x", { size: 1n })).rejects.toMatchObject({
      code: "QEMU_QMP_FAILED",
      message: expect.stringMatching(/^The arguments of QMP command "x" are no JSON: .*BigInt/),
    });
    // Nothing is left that would be rejected once more.
    qmp.close();
    await qmp.closed;
  });

  test("a command under way is answered by an error when QEMU dies", async () => {
    const qmp = await connectQmp(realQemu());
    children[0]?.kill("SIGSTOP");
    const answer = qmp.execute("query-status");
    children[0]?.kill("SIGKILL");
    await expect(answer).rejects.toMatchObject({
      code: "QEMU_QMP_CLOSED",
      message: expect.stringContaining("query-status"),
    });
  });
});

/** The two ends of a connection whose other side the test plays, for what a real QEMU never sends. */
function peer(): { stream: Duplex; say: (text: string | Uint8Array) => void; end: () => void } {
  const incoming = new PassThrough();
  const stream = Duplex.from({ readable: incoming, writable: new PassThrough() });
  return { stream, say: (text) => void incoming.write(text), end: () => void incoming.end() };
}

const GREETING =
  '{"QMP": {"version": {"qemu": {"major": 8, "minor": 2, "micro": 1}, "package": ""}, "capabilities": []}}\r\n';

/** A session with a peer that has greeted and agreed. */
async function greeted(): Promise<{ qmp: QmpClient } & ReturnType<typeof peer>> {
  const other = peer();
  const connecting = connectQmp(other.stream, { maxMessage: 1 << 20 });
  other.say(GREETING);
  await setImmediate();
  other.say('{"return": {}, "id": "1"}\n');
  return { ...other, qmp: await connecting };
}

const event = (id: number): string =>
  `{"event": "DEVICE_DELETED", "data": {"device": "d${id}", "path": "/"}}\n`;

describe("commands and events in one piece", () => {
  test.each([
    ["before the answer", `${event(1)}{"return": {}, "id": "2"}\n`],
    ["after the answer", `{"return": {}, "id": "2"}\n${event(1)}`],
    ["among others", `${event(0)}${event(1)}{"return": {}, "id": "2"}\n${event(2)}`],
  ])("an event %s is not missed", async (_, text) => {
    const { qmp, say } = await greeted();
    // Older events are none of what is waited for.
    say(event(1).repeat(3));
    await setImmediate();
    let calls = 0;
    const gone = qmp.next("DEVICE_DELETED", { where: ({ device }) => ((calls += 1), device === "d1") });
    const answer = qmp.execute("device_del", { id: "d1" });
    say(text);
    await answer;
    expect((await gone).data.device).toBe("d1");
    expect(calls).toBe(text.includes("d0") ? 3 : 1);
    const all: unknown[] = [];
    qmp.close();
    for await (const { data } of qmp.events()) all.push(data["device"]);
    expect(all).toEqual(["d1", "d1", "d1", ...Array.from(text.matchAll(/d\d(?=")/g), ([id]) => id)]);
  });

  test("waiting ends with the connection, with a signal, and with a condition that throws", async () => {
    const { qmp, say } = await greeted();
    expect(qmp.outOfBand).toBe(false);
    await expect(qmp.execute("yank", { instances: [] }, { outOfBand: true })).rejects.toMatchObject({
      code: "QEMU_QMP_FAILED",
    });
    const reason = new Error("enough");
    await expect(qmp.next("STOP", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const aborted = qmp.next("STOP", { signal: controller.signal });
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    const thrown = qmp.next("STOP", {
      where: () => {
        throw reason;
      },
    });
    say('{"event": "STOP"}\n');
    await expect(thrown).rejects.toBe(reason);
    const closed = qmp.next("STOP");
    // Nobody waits for this one, and nothing comes of it.
    void qmp.next("RESUME");
    qmp.close();
    await expect(closed).rejects.toMatchObject({ code: "QEMU_QMP_CLOSED" });
    await expect(qmp.next("STOP")).rejects.toMatchObject({ code: "QEMU_QMP_CLOSED" });
  });
});

describe("whatever comes, there are only typed errors", () => {
  const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

  /** What goes wrong when these bytes come first, or after the greeting, and then the connection ends. */
  async function outcomes(bytes: Uint8Array): Promise<unknown[]> {
    const { stream, say, end } = peer();
    const first = Promise.allSettled([connectQmp(stream, { maxMessage: 1 << 20 })]);
    say(bytes);
    end();
    const later = await greeted();
    const answers = Promise.allSettled([
      later.qmp.execute("query-status"),
      later.qmp.next("SHUTDOWN"),
      later.qmp.supports("command", "cont"),
    ]);
    later.say(bytes);
    later.end();
    for await (const { timestamp } of later.qmp.events()) expect(timestamp.seconds).toBeTypeOf("number");
    const settled = [...(await first), ...(await answers)];
    return settled.flatMap((answer) => (answer.status === "rejected" ? [answer.reason] : []));
  }
  const onlyTyped = (errors: readonly unknown[]): boolean =>
    errors.length > 0 && errors.every((error) => error instanceof QemuError);

  test.each([
    ["invalid UTF-8", Buffer.from([0xff, 0xfe, 0x80, 10])],
    [
      "a lone half of a character",
      Buffer.from([...Buffer.from('{"event": "'), 0xf0, 0x9f, ...Buffer.from('"}\n')]),
    ],
    ["a message beyond the limit", Buffer.alloc(3 << 20, 0x20)],
    [
      "a version that is no number",
      Buffer.from(`{"QMP": {"version": {"qemu": {"major": ${deep(50_000)}}}}}\n`),
    ],
    [
      "a time that is no number",
      Buffer.from(`{"event": "STOP", "timestamp": {"seconds": ${deep(50_000)}}}\n`),
    ],
    ["an id that is no word", Buffer.from(`{"return": 1, "id": ${deep(50_000)}}\n`)],
    ["an error that is none", Buffer.from(`{"error": ${deep(50_000)}, "id": "2"}\n`)],
    ["depth without end", Buffer.from(`${"[".repeat(900_000)}\n`)],
    [
      "names of prototypes",
      Buffer.from(`{"__proto__": {"event": "X"}, "constructor": 1, "id": "__proto__"}\n`),
    ],
    ["nothing but newlines", Buffer.alloc(100_000, 10)],
    ["a schema of nonsense", Buffer.from(`{"return": [1, null, {"name": "cont"}, [[]]], "id": "3"}\n`)],
  ])("%s", async (_, bytes) => {
    expect(await outcomes(bytes)).toSatisfy(onlyTyped);
  });

  test(`random bytes and damaged messages, seed ${seed}`, async () => {
    let state = seed >>> 0;
    const random = (below: number): number => {
      // mulberry32
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) % below;
    };
    const sound = Buffer.from(
      `${GREETING}${event(1)}{"return": {"status": "running"}, "id": "2"}\n{"error": {"class": "GenericError", "desc": "no"}, "id": "3"}\n`,
    );
    for (let round = 0; round < 800; round += 1) {
      const bytes =
        round % 3 === 0
          ? Buffer.from(Array.from({ length: random(400) }, () => random(256)))
          : Buffer.from(sound);
      for (let hits = random(6); hits > 0 && bytes.length > 0; hits -= 1)
        bytes[random(bytes.length)] = random(2) === 0 ? random(256) : 0x5b + random(35);
      const piece = round % 5 === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes;
      expect(await outcomes(piece)).toSatisfy(onlyTyped);
    }
  }, 60_000);
});

describe("against a peer that misbehaves", () => {
  test("messages cut anywhere, even inside a character", async () => {
    const { stream, say } = peer();
    const connecting = connectQmp(stream);
    for (const byte of Buffer.from(GREETING)) say(new Uint8Array([byte]));
    await setImmediate();
    for (const byte of Buffer.from('{"return": {}, "id": "1"}\n')) say(new Uint8Array([byte]));
    const qmp = await connecting;
    expect(qmp.version).toBe("8.2.1");
    const answer = qmp.execute("human-monitor-command", { "command-line": "x" });
    const message = Buffer.from(
      '{"return": "größer 🐧", "id": "2"}\n{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 2}}\n',
    );
    for (const byte of message) say(new Uint8Array([byte]));
    expect(await answer).toBe("größer 🐧");
    for await (const event of qmp.events()) {
      expect(event).toEqual({ event: "STOP", data: {}, timestamp: { seconds: 1, microseconds: 2 } });
      break;
    }
  });

  test("no JSON", async () => {
    const { stream, say } = peer();
    say("HTTP/1.1 400 Bad Request\r\n");
    await expect(connectQmp(stream)).rejects.toMatchObject({ code: "QEMU_QMP_PROTOCOL" });
  });

  test("a message without an end", async () => {
    const { stream, say } = peer();
    say("x".repeat(2000));
    await expect(connectQmp(stream, { maxMessage: 1000 })).rejects.toMatchObject({
      code: "QEMU_QMP_PROTOCOL",
    });
  });

  test("closed before the greeting", async () => {
    const { stream, end } = peer();
    end();
    await expect(connectQmp(stream)).rejects.toMatchObject({ code: "QEMU_QMP_CLOSED" });
  });
});
