import { spawn, type ChildProcess } from "node:child_process";
import { Duplex, PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { connectQmp } from "../src/qmp.ts";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A QEMU without a machine, its monitor on standard input and output. */
function realQemu(): Duplex {
  const child = spawn(
    "qemu-system-x86_64",
    ["-M", "none", "-nodefaults", "-display", "none", "-qmp", "stdio"],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  children.push(child);
  return Duplex.from({ readable: child.stdout, writable: child.stdin });
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
