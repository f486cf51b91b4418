import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { createBootWatch } from "../src/boot-watch.ts";
import { plainText } from "../src/plain-text.ts";
import { createOutputLog } from "../src/internal/output-log.ts";
import { collect } from "./support/collect.ts";
import { createSerialPort } from "../src/serial-port.ts";
import { createRandom } from "./support/random.ts";

const utf8 = (text: string): Uint8Array => Buffer.from(text);

function port(limit = 1024) {
  const log = createOutputLog("console", limit);
  const input = new PassThrough();
  return { log, input, serial: createSerialPort("console", log, input) };
}

describe("lines", () => {
  test("are cut whatever the pieces, cleaned, timed, and the last one needs no end", async () => {
    const { log, serial } = port();
    const text = utf8("[ 0.1] größe\r\n\u001B[1;31mred\u001B[0m\r\n\r\nlogin: ");
    for (const [index, byte] of text.entries()) log.push(new Uint8Array([byte]), index);
    log.end();
    const lines = await collect(serial.lines());
    expect(lines.map((line) => line.text)).toEqual(["[ 0.1] größe", "red", "", "login: "]);
    expect(lines.map((line) => line.at)).toEqual([15, 31, 33, 40]);
    expect(serial.text()).toBe("[ 0.1] größe\nred\n\nlogin: ");
    expect(serial.tail(2)).toEqual(["", "login: "]);
  });
});

describe("readers", () => {
  test("each gets all bytes from the start, early and late ones alike", async () => {
    const { log, serial } = port();
    const early = collect(serial.readable);
    log.push(utf8("ab"), 0);
    const late = collect(serial.readable);
    log.push(utf8("c"), 1);
    log.end();
    for (const bytes of [await early, await late]) expect(Buffer.concat(bytes).toString()).toBe("abc");
  });

  test("output is bounded, and whoever is too far behind is told", async () => {
    const { log, serial } = port(8);
    const reader = serial.readable[Symbol.asyncIterator]();
    log.push(utf8("1234"), 0);
    await reader.next();
    for (const piece of ["5678", "9abc", "defg"]) log.push(utf8(piece), 0);
    await expect(reader.next()).rejects.toMatchObject({ code: "QEMU_OUTPUT_LOST" });
    expect(Buffer.from(serial.bytes()).toString()).toBe("9abcdefg");
  });
});

test("a flood in small pieces costs each of them the same, whatever is kept already", async () => {
  const { log, serial } = port(1 << 20);
  const [piece, count] = [16, 200_000];
  const text = (index: number): string => `${String(index).padStart(piece - 1)}\n`;
  const reader = serial.readable[Symbol.asyncIterator]();
  for (let index = 0; index < count; index += 1) {
    log.push(utf8(text(index)), index);
    // It keeps up, and gets each piece as it was.
    if (index % 1000 !== 999) continue;
    for (let behind = index - 999; behind <= index; behind += 1)
      expect(String((await reader.next()).value)).toBe(text(behind));
  }
  const wanted = Buffer.from(Array.from({ length: count }, (_, index) => text(index)).join(""));
  expect(wanted.subarray(-(1 << 20)).equals(serial.bytes())).toBe(true);
  expect(log.total).toBe(wanted.length);
  expect((await serial.expect(/^ *199998$/m)).index).toBeGreaterThan(1 << 19);
});

test("small pieces of one moment are kept together, and are read once each", async () => {
  const { log, serial } = port(1 << 20);
  const random = createRandom(1);
  const wanted: Buffer[] = [];
  const early: Uint8Array[] = [];
  const reading = (async () => {
    for await (const bytes of serial.readable) early.push(bytes);
  })();
  for (let at = 0; wanted.length < 20_000; at += random.below(3) / 4) {
    const bytes = random.bytes(random.below(500) === 0 ? 1 + random.below(9000) : 1 + random.below(8));
    wanted.push(bytes);
    log.push(bytes, at);
    // At times the reader is behind, at times it is in the middle of what is kept together.
    if (random.below(4) === 0) await Promise.resolve();
  }
  log.end();
  await reading;
  const late = await collect(log.chunks());
  for (const bytes of [early, late.map((chunk) => chunk.bytes), [serial.bytes()]])
    expect(Buffer.concat(bytes).equals(Buffer.concat(wanted))).toBe(true);
  expect(late.length).toBeLessThan(wanted.length / 2);
  expect(late.every(({ at }, index) => index === 0 || at >= (late[index - 1]?.at ?? 0))).toBe(true);
});

describe("expect", () => {
  test("consumes what it finds, in order, also across pieces", async () => {
    const { log, serial } = port();
    const both = Promise.all([serial.expect(/a(.)c/g), serial.expect("a.c")]);
    for (const piece of ["xxa", "b", "c a", ".c"]) log.push(utf8(piece), 0);
    expect((await both).map((match) => match[0])).toEqual(["abc", "a.c"]);
    log.push(utf8(" one two"), 0);
    await serial.expect("two");
    await expect(serial.expect("one", { timeout: 10 })).rejects.toMatchObject({
      code: "QEMU_EXPECT_TIMEOUT",
      message: expect.stringContaining("one two"),
    });
    const never = serial.expect("never");
    log.end();
    await expect(never).rejects.toMatchObject({ code: "QEMU_EXPECT_CLOSED" });
  });

  test("may wait for ever", async () => {
    const { log, serial } = port();
    const found = serial.expect("late", { timeout: Infinity });
    setTimeout(() => log.push(utf8("late"), 0), 50);
    expect((await found)[0]).toBe("late");
  });

  test("input reaches the guest", async () => {
    const { input, serial } = port();
    await serial.write("ls\n");
    expect(String(input.read())).toBe("ls\n");
  });
});

test("plainText removes sequences, keeps tabs and newlines", () => {
  expect(plainText("\u001B]0;title\u0007a\tb\r\n\u001B[2J\u001B[10;5Hc\u001B(B\u001B7d\b\u0000")).toBe(
    "a\tb\ncd",
  );
});

describe("boot watch", () => {
  const watched = (text: string) => {
    const watch = createBootWatch();
    watch.push(utf8(text));
    return watch;
  };

  test("phases", () => {
    expect(watched("").phase).toBe("silent");
    expect(watched("SeaBIOS").phase).toBe("output");
    expect(watched("x\n[    0.000000] Linux version 6.12\n").phase).toBe("kernel");
    expect(watched("Linux version 6.12\nRun /init as init process\n").phase).toBe("init");
  });

  test("a panic at a line's start or after a time stamp, complete with its last line", () => {
    expect(watched("[    1.0] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n").panic).toEqual({
      message: "VFS: Unable to mount root fs",
      complete: false,
    });
    expect(
      watched("Kernel panic - not syncing: x\n[ 1.1] ---[ end Kernel panic - not syncing: x ]---\n").panic
        ?.complete,
    ).toBe(true);
    expect(watched("half a line[    1.0] Kernel panic - not syncing: x\n").panic?.message).toBe("x");
    expect(watched('grep "Kernel panic - not syncing" log\n').panic).toBeUndefined();
  });
});
