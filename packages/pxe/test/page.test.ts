/** The page, its stream of events, and the metrics, as a browser and Prometheus fetch them. */
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Script } from "node:vm";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { encodeDhcp, servePxe, type PxeServer } from "../src/index.ts";
import { main } from "../src/main.ts";
import { firmware, ipxe, request } from "./packets.ts";

const MAC = "52:54:00:12:34:56";
let directory = "";
let server: PxeServer;
let base = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-page-"));
  await writeFile(join(directory, "kernel"), "k".repeat(100_000));
  server = await servePxe({
    bundle: {
      kernel: join(directory, "kernel"),
      initrd: [],
      cmdline: "",
      title: "<script>alert(1)</script>",
    },
    interface: "lo",
    mode: "proxy",
    allow: [MAC, "02:00:00:00:00:05"],
    ports: { dhcp: 21_067, client: 21_068, boot: 25_011, tftp: 0, http: 0 },
  });
  base = `http://127.0.0.1:${server.ports.http}`;
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

/** Send a request of a client to the server's DHCP port. */
async function ask(message: Parameters<typeof encodeDhcp>[0]): Promise<void> {
  const socket = createSocket("udp4");
  socket.send(encodeDhcp(message), 21_067, "127.0.0.1");
  await once(socket, "listening");
  await new Promise((resolve) => setTimeout(resolve, 20));
  socket.close();
}

/** Read a stream of events until a text comes. */
async function until(stream: ReadableStreamDefaultReader<Uint8Array>, wanted: RegExp): Promise<string> {
  let text = "";
  while (!wanted.test(text)) {
    const { value, done } = await stream.read();
    if (done) throw new Error(`ended: ${text}`);
    text += new TextDecoder().decode(value);
  }
  return text;
}

describe("the page", () => {
  test("is one file that lets run nothing but its own script", async () => {
    const response = await fetch(`${base}/`);
    const html = await response.text();
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(html).not.toMatch(/(src|href)=/);
    // No way for a text to become HTML.
    expect(html).not.toMatch(/innerHTML|insertAdjacentHTML|outerHTML|document\.write|eval\(/);
    const script = /<script>([^]*)<\/script>/.exec(html)?.[1] ?? "";
    const hash = createHash("sha256").update(script).digest("base64");
    expect(response.headers.get("content-security-policy")).toContain(`script-src 'sha256-${hash}'`);
    expect(() => new Script(script)).not.toThrow();
  });
  test("is told what machines do, as it happens; what they say stays inside JSON", async () => {
    const response = await fetch(`${base}/v1/events`);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const stream = response.body?.getReader();
    if (!stream) throw new Error("no body");
    expect(await until(stream, /\n\n/)).toBe("retry: 2000\nevent: machines\ndata: []\n\n");
    await ask(request("discover", { options: ipxe() }));
    const text = await until(stream, /"stage":"offer"[^]*\n\n/);
    const [machine] = JSON.parse(/data: (\[{.*)\n/.exec(text)?.[1] ?? "[]") as Record<string, unknown>[];
    expect(machine).toMatchObject({ mac: MAC, stage: "offer", firmware: "bios", arch: "x86_64" });
    await stream.cancel();
  });
  test("its head alone is asked for and had, without a place among the readers", async () => {
    const response = await fetch(`${base}/v1/events`, {
      method: "HEAD",
      signal: AbortSignal.timeout(5000),
    });
    await response.text();
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const raw = connect(Number(new URL(base).port), "127.0.0.1");
    raw.write("HEAD /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    raw.resume();
    await once(raw, "end", { signal: AbortSignal.timeout(5000) });
  });
  test("a serial number with markup and line ends is one line of data", async () => {
    const evil = encodeURIComponent('<img src=x onerror="alert(1)">\n\nevent: machines');
    await fetch(`${base}/boot.ipxe?mac=02:00:00:00:00:09&serial=${evil}`);
    const response = await fetch(`${base}/v1/events`);
    const stream = response.body?.getReader();
    if (!stream) throw new Error("no body");
    const text = await until(stream, /\n\n/);
    expect(text.match(/event: machines\n/g)).toHaveLength(1);
    const machines = JSON.parse(/data: (.*)\n/.exec(text)?.[1] ?? "[]") as { mac: string; serial?: string }[];
    expect(machines.find(({ mac }) => mac === "02:00:00:00:00:09")?.serial).toMatch(
      /^<img .*event: machines$/,
    );
    await stream.cancel();
  });
});

test("metrics are what Prometheus reads", async () => {
  await fetch(`${base}/kernel`).then((response) => response.arrayBuffer());
  await fetch(`${base}/nothing`);
  const text = await (await fetch(`${base}/metrics`)).text();
  expect(text).toContain('pxe_http_requests_total{status="200"} ');
  expect(text).toContain('pxe_files_total{file="kernel",via="http"} 1\n');
  expect(text).toMatch(/^pxe_fetch_seconds_bucket\{file="kernel",le="\+Inf"\} 1$/m);
  const lines = text.trimEnd().split("\n");
  const typed = new Set(
    lines.flatMap((line) => /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line)?.[1] ?? []),
  );
  for (const line of lines.filter((line) => !line.startsWith("#"))) {
    const name = /^([a-z_]+)(\{([a-z]+="[^"\\]*",?)+\})? [0-9.e+-]+$/.exec(line)?.[1] ?? line;
    expect(typed, line).toContain(
      name.replace(/_(bucket|sum|count)$/, (end) => (typed.has(name) ? end : "")),
    );
  }
  // Buckets are cumulative.
  const buckets = lines.filter((line) => line.startsWith('pxe_fetch_seconds_bucket{file="kernel"'));
  const counts = buckets.map((line) => Number(line.split(" ").at(-1)));
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
});

describe("pxe-serve explain", () => {
  const explain = async (...argv: string[]): Promise<{ status: number; out: string; err: string }> => {
    let [out, err] = ["", ""];
    const status = await main(["explain", ...argv], {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
      onSignal: () => undefined,
    });
    return { status, out, err };
  };
  test("asks the server; the reasons come from real requests", async () => {
    await ask(request("discover", { mac: "02:00:00:00:00:01", options: ipxe() }));
    await ask(request("discover", { mac: "02:00:00:00:00:05", options: firmware(0x77) }));
    await ask(request("discover", { mac: "02:00:00:00:00:06" }));
    const why = async (mac: string) => (await explain(mac, "--server", base)).out;
    await vi.waitFor(async () =>
      expect(await why("02-00-00-00-00-01")).toContain("--allow 02:00:00:00:00:01"),
    );
    expect(await why("02:00:00:00:00:05")).toContain("no boot program for architecture 119");
    expect(await why("02:00:00:00:00:06")).toContain("not on the list");
    expect(await why("02:00:00:00:00:aa")).toContain("has never been seen");
    const { out } = await explain(MAC, "--server", base, "--json");
    expect(JSON.parse(out)).toMatchObject({ mac: MAC, sentences: expect.any(Array) });
  });
  test("finds the server on this machine by its port", async () => {
    expect((await explain(MAC, "--http-port", String(server.ports.http))).out).toContain(MAC);
  });
  test("no server, no address: an error that says what to do", async () => {
    expect(await explain(MAC, "--http-port", "1")).toMatchObject({
      status: 1,
      err: expect.stringMatching(/No pxe-serve answers on port 1 .*\nhint: name it: --server/),
    });
    expect(await explain("52:54")).toMatchObject({
      status: 2,
      err: expect.stringContaining("wants one MAC address"),
    });
  });
});
