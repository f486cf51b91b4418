import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPcap, createSwitch } from "../src/net.ts";
import { frameOf } from "./support/frames.ts";
import { readCapture } from "./support/tcpdump.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "qemu-pcap-test-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe("a capture file", () => {
  test("is read by tcpdump: each frame, whole, with its time to a microsecond", async () => {
    const path = join(scratch, "a.pcap");
    const pcap = createPcap(path);
    const long = frameOf(
      2,
      1,
      Uint8Array.from({ length: 65_539 }, (_, index) => index * 7),
    );
    pcap.write(frameOf(255, 1, "first"), 1_700_000_000_123.456);
    pcap.write(long, 1_700_000_000_999.999);
    pcap.write(frameOf(2, 3), 0);
    for (let index = 0; index < 1000; index += 1) pcap.write(frameOf(2, 1, new Uint8Array(1000)), index);
    expect(pcap.frames).toBe(1003);
    pcap.close();
    pcap.write(frameOf(2, 3));
    pcap.close();
    const lines = await readCapture(path, "-tt", "-e");
    expect(lines).toHaveLength(1003);
    expect(lines[0]).toMatch(
      /^1700000000\.123456 52:54:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype Unknown \(0x88b5\), length 19/,
    );
    expect(lines[1]).toMatch(/^1700000000\.999999 .* length 65553/);
    expect(lines[2]).toMatch(/^0\.000000 .* length 14/);
    const bytes = await readFile(path);
    expect(bytes.includes(Buffer.from(long))).toBe(true);
  });

  test("of a switch has what came into it, once, with the time of now", async () => {
    const path = join(scratch, "switch.pcap");
    const began = Date.now() / 1000;
    const lan = createSwitch();
    const [a, b] = [lan.join("a"), lan.join("b", { line: { down: { loss: 1 } } })];
    a.send(frameOf(2, 1, "before"));
    const pcap = lan.record(path);
    const first = lan.record(join(scratch, "first.pcap"));
    a.send(frameOf(2, 1, "one"));
    first.close();
    a.impair({ up: { loss: 1 } });
    a.send(frameOf(2, 1, "lost on the way"));
    b.send(frameOf(1, 2, "two"));
    lan.close();
    expect([pcap.frames, first.frames]).toEqual([2, 1]);
    const lines = await readCapture(path, "-tt", "-e");
    expect(lines.map((line) => /length \d+/.exec(line)?.[0])).toEqual(["length 17", "length 17"]);
    for (const line of lines) {
      const at = Number(line.split(" ")[0]);
      expect(at).toBeGreaterThan(began - 1);
      expect(at).toBeLessThan(Date.now() / 1000 + 1);
    }
    expect(await readCapture(join(scratch, "first.pcap"))).toHaveLength(1);
  });

  test("holds whole frames also when its writer is killed", async () => {
    const path = join(scratch, "killed.pcap");
    const net = new URL("../src/net.ts", import.meta.url).href;
    const code = `
      import { createSwitch } from "${net}";
      const lan = createSwitch();
      lan.record(process.argv[2]);
      const a = lan.join("a");
      let count = 0;
      setInterval(() => {
        for (let i = 0; i < 50; i += 1) a.send(new Uint8Array(300 + ((count += 1) % 1000)));
        process.stdout.write(".");
      }, 1);`;
    const file = join(scratch, "writer.mjs");
    await writeFile(file, code);
    const child = spawn(process.execPath, [file, path], { stdio: ["ignore", "pipe", "inherit"] });
    let turns = 0;
    child.stdout.on("data", (dots: Uint8Array) => {
      turns += dots.length;
      if (turns > 20) child.kill("SIGKILL");
    });
    await new Promise((resolve) => child.once("close", resolve));
    // tcpdump fails on a frame that is cut off.
    const lines = await readCapture(path);
    expect(lines.length % 50).toBe(0);
    expect(lines.length).toBeGreaterThanOrEqual((turns - 1) * 50);
  });

  test("that can't be written is an error, at the start or at the end, and not in between", async () => {
    const unwritable = expect.objectContaining({ code: "QEMU_FILE_UNWRITABLE" });
    expect(() => createPcap(join(scratch, "no/such/directory"))).toThrow(unwritable);
    expect(() => createPcap("/dev/full").close()).toThrow(
      expect.objectContaining({ message: 'Cannot write capture "/dev/full": ENOSPC' }),
    );
    const lan = createSwitch();
    lan.record("/dev/full");
    const [a, b] = [lan.join("a"), lan.join("b")];
    for (let index = 0; index < 500; index += 1) a.send(frameOf(2, 1, new Uint8Array(1000)));
    expect(b.counters().down.frames).toBe(500);
    expect(() => lan.close()).toThrow(unwritable);
    expect(lan.ports).toEqual([]);
  });

  test("on a disk that becomes full ends with its last whole frame", async () => {
    const path = join(scratch, "limited.pcap");
    const pcap = new URL("../src/pcap.ts", import.meta.url).href;
    const code = `
      import { createPcap } from "${pcap}";
      process.on("SIGXFSZ", () => undefined);
      const file = createPcap(process.argv[2]);
      for (let i = 0; i < 1000; i += 1) file.write(new Uint8Array(1000));
      try { file.close(); } catch (error) { console.log(error.message); }`;
    const module = join(scratch, "limited.mjs");
    await writeFile(module, code);
    const script = `ulimit -f 600; exec "$0" "$1" "$2"`;
    const { stdout } = await promisify(execFile)("sh", ["-c", script, process.execPath, module, path]);
    expect(stdout).toContain("EFBIG");
    const lines = await readCapture(path);
    expect(lines.length).toBeGreaterThan(200);
    expect(lines.length).toBeLessThan(700);
  });
});
