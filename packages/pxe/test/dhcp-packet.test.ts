import { describe, expect, test } from "vitest";
import { DHCP_OPTION, encodeDhcp, parseDhcp, textBytes, type DhcpMessage } from "../src/index.ts";
import { mutator } from "./fuzz.ts";
import { firmware, ipxe, request } from "./packets.ts";

function parsed(bytes: Uint8Array): DhcpMessage {
  const result = parseDhcp(bytes);
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

/** A packet with these raw option bytes, and fields by offset. */
function raw(
  options: readonly number[],
  fields: Readonly<Record<number, readonly number[]>> = {},
): Uint8Array {
  const bytes = new Uint8Array(240 + options.length);
  bytes.set(encodeDhcp(request("discover")).subarray(0, 240));
  for (const [at, value] of Object.entries(fields)) bytes.set(value, Number(at));
  bytes.set(options, 240);
  return bytes;
}

describe("parsing (RFC 2131, 2132, 3396)", () => {
  test("pads are skipped and a missing 255 is tolerated", () => {
    expect(parsed(raw([0, 0, 53, 1, 1, 0, 12, 1, 65])).options).toEqual(
      new Map([
        [53, Uint8Array.of(1)],
        [12, Uint8Array.of(65)],
      ]),
    );
  });
  test("bytes after 255 are not options", () => {
    expect(parsed(raw([53, 1, 1, 255, 12, 1, 65])).options.has(12)).toBe(false);
  });
  test("parts of one option are joined in the order options, file, sname", () => {
    const message = parsed(
      raw([53, 1, 1, 52, 1, 3, 56, 1, 65, 255], { 108: [56, 1, 66, 255], 44: [56, 1, 67, 255] }),
    );
    expect(Buffer.from(message.options.get(56) ?? []).toString()).toBe("ABC");
    expect([message.file, message.sname, message.options.has(52)]).toEqual(["", "", false]);
  });
  test("overload 2 takes sname alone", () => {
    const message = parsed(
      raw([53, 1, 1, 52, 1, 2, 255], { 108: [...Buffer.from("a.efi")], 44: [12, 1, 65, 255] }),
    );
    expect([message.file, message.options.has(12)]).toEqual(["a.efi", true]);
  });
  test.each([
    ["a length past the end", raw([53, 1, 1, 12, 9, 65])],
    ["a code without length", raw([53, 1, 1, 12])],
    ["a length past the file field", raw([53, 1, 1, 52, 1, 1, 255], { 108: [12, 200, 65] })],
    ["a message type that comes twice", raw([53, 1, 1, 53, 1, 3, 255])],
    ["no cookie", raw([53, 1, 1, 255], { 236: [0] })],
    ["a hardware address of 17 bytes", raw([53, 1, 1, 255], { 2: [17] })],
    ["op 3", raw([53, 1, 1, 255], { 0: [3] })],
    ["an empty datagram", new Uint8Array()],
  ])("%s drops the packet with a reason", (_, bytes) => {
    expect(parseDhcp(bytes)).toEqual({ ok: false, reason: expect.stringMatching(/.{5}/) });
  });
  test("options of more than 255 bytes (iPXE sends a 56 and more than 312 bytes in all)", () => {
    const options = [
      53,
      1,
      1,
      ...Array.from({ length: 4 }, () => [224, 250, ...Array(250).fill(7)]).flat(),
      255,
    ];
    expect(parsed(raw(options)).options.get(224)?.length).toBe(1000);
  });
  test("without option 53 it is BOOTP, which parses", () => {
    expect(parsed(raw([255])).options.size).toBe(0);
  });
});

describe("encoding", () => {
  test("cookie 63 82 53 63, option 53 first, 255 last, at least 300 bytes", () => {
    const bytes = encodeDhcp({
      ...request("offer", { op: 2 }),
      options: new Map([
        [12, textBytes("x")],
        [53, Uint8Array.of(2)],
      ]),
    });
    expect(bytes.length).toBe(300);
    expect([...bytes.subarray(236, 247)]).toEqual([0x63, 0x82, 0x53, 0x63, 53, 1, 2, 12, 1, 120, 255]);
    expect(bytes.subarray(247).every((byte) => byte === 0)).toBe(true);
  });
  test("file is NUL-terminated, and refused when it would not be", () => {
    const bytes = encodeDhcp(request("offer", { file: "f".repeat(127) }));
    expect([bytes[234], bytes[235]]).toEqual([102, 0]);
    expect(() => encodeDhcp(request("offer", { file: "f".repeat(128) }))).toThrow(/"file" field/);
  });
  test("values above 255 bytes are split and come back whole", () => {
    const long = Uint8Array.from({ length: 700 }, (_, index) => index & 255);
    const bytes = encodeDhcp(request("offer", { options: [[224, long]] }), { maxBytes: 1500 });
    expect(parsed(bytes).options.get(224)).toEqual(long);
  });
  test("what does not fit goes into file and sname (overload), within the client's size", () => {
    const options = [
      [224, new Uint8Array(200).fill(1)],
      [225, new Uint8Array(110).fill(2)],
      [226, new Uint8Array(50).fill(3)],
    ] as const;
    const bytes = encodeDhcp(request("offer", { options }), { maxBytes: 576 });
    expect(bytes.length).toBeLessThanOrEqual(548);
    expect(parsed(bytes).options).toEqual(request("offer", { options }).options);
  });
  test("file and sname are not overloaded while everything fits", () => {
    const message = request("offer", { file: "boot", sname: "host", options: [[224, new Uint8Array(250)]] });
    expect(parsed(encodeDhcp(message))).toEqual(message);
  });
  test("too much for the client is an error that names the option", () => {
    const options = [224, 225, 226].map((code) => [code, new Uint8Array(250)] as const);
    expect(() => encodeDhcp(request("offer", { options, file: "boot" }))).toThrow(/Option 225 does not fit/);
  });
  test("a smaller size than 576 counts as 576", () => {
    const options = [[224, new Uint8Array(250)]] as const;
    expect(encodeDhcp(request("offer", { options, file: "boot" }), { maxBytes: 1 }).length).toBeGreaterThan(
      490,
    );
  });
});

test("decode(encode(x)) = x for random messages", () => {
  const random = mutator();
  for (let round = 0; round < 2000; round++) {
    const count = random.below(12);
    const options = Array.from({ length: count }, () => {
      const value = Uint8Array.from({ length: random.below(40) }, () => random.below(256));
      return [[12, 54, 60, 93, 97, 175, 224][random.below(7)] ?? 12, value] as const;
    });
    const message = request("request", {
      options,
      xid: random.below(2 ** 32),
      secs: random.below(65_536),
      file: "x".repeat(random.below(127)),
    });
    expect(parsed(encodeDhcp(message, { maxBytes: 1500 })), `FUZZ_SEED=${random.seed}`).toEqual(message);
  }
});

test("100,000 mutated packets: a result each, never an exception", () => {
  const random = mutator();
  console.log(`DHCP fuzz: FUZZ_SEED=${random.seed}`);
  const corpus = [
    encodeDhcp(request("discover", { options: ipxe() })),
    encodeDhcp(request("request", { options: firmware(7) })),
    raw([53, 1, 1, 52, 1, 3, 255], { 108: [56, 1, 66, 255], 44: [56, 1, 67, 255] }),
    encodeDhcp(request("discover", { options: [[DHCP_OPTION.hostName, textBytes("h".repeat(200))]] })),
  ];
  let ok = 0;
  for (let round = 0; round < 100_000; round++) {
    const bytes = random.mutate(corpus[round % corpus.length] ?? new Uint8Array());
    try {
      if (parseDhcp(bytes).ok) ok++;
    } catch (error) {
      throw new Error(`FUZZ_SEED=${random.seed} round ${round}: ${Buffer.from(bytes).toString("hex")}`, {
        cause: error,
      });
    }
  }
  // The mutations must reach past the first checks, else this proves nothing.
  expect(ok).toBeGreaterThan(10_000);
});
