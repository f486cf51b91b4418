/**
 * In the lab: this kernel's TCP as the peer of ours, by curl, over a cable that may be impaired.
 * Argument: { impairment?, bytes }. Prints one JSON line: a TcpReport.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenFrames, openStation } from "../../src/index.ts";
import { plugCard, run } from "./cable.ts";
import { impaired, type Impairment } from "./impaired.ts";

export interface TcpReport {
  /** sha256 of what was served, of what curl got, of what curl sent, and of what came. */
  readonly hashes: Record<"served" | "got" | "sent" | "came", string>;
  /** MB/s as curl measured them. */
  readonly down: number;
  readonly up: number;
  /** What eight at a time got. */
  readonly together: readonly string[];
  readonly ping: string;
}

const { impairment, bytes } = JSON.parse(process.argv[2] ?? "{}") as {
  impairment?: Impairment;
  bytes: number;
};
const directory = await mkdtemp(join(tmpdir(), "pxe-tcp-"));
const link = await listenFrames(join(directory, "cable.sock"));
const unplug = await plugCard(link);
await run("ip", ["address", "add", "10.88.0.2/24", "dev", "cable0"]);
const station = openStation({
  link: impairment ? impaired(link, impairment) : link,
  address: "10.88.0.1",
  netmask: "255.255.255.0",
});
const served = randomBytes(bytes);
const hash = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");
const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.end(served);
    return;
  }
  const sum = createHash("sha256");
  request.on("data", (part: Buffer) => sum.update(part)).on("end", () => response.end(sum.digest("hex")));
});
const http = await station.listenHttp(server, { address: "10.88.0.1", port: 80 });

const curl = async (...args: string[]): Promise<{ text: string; speed: number }> => {
  const output = join(directory, `output-${Math.random()}`);
  const { stdout } = await run("curl", [
    "-sS",
    "--fail",
    "-m",
    "200",
    "-o",
    output,
    "-w",
    "%{speed_download} %{speed_upload}",
    ...args,
    "http://10.88.0.1/",
  ]);
  const sum = (await run("sha256sum", [output])).stdout.slice(0, 64);
  const text = args.length > 0 ? (await run("cat", [output])).stdout : sum;
  await rm(output);
  return { text, speed: Math.max(...stdout.split(" ").map(Number)) / 1e6 };
};
const upload = join(directory, "upload");
await writeFile(upload, randomBytes(bytes));
const sent = (await run("sha256sum", [upload])).stdout.slice(0, 64);
const ping = (
  await run("busybox", ["ping", "-c", "5", "-i", "0.05", "-W", "1", "10.88.0.1"]).catch(() => ({
    stdout: "",
  }))
).stdout;
const down = await curl();
const up = await curl("-T", upload, "-H", "Expect:");
const small = served.subarray(0, 1_000_001);
const together = await (async () => {
  server.removeAllListeners("request");
  server.on("request", (_request, response) => response.end(small));
  const all = await Promise.all(Array.from({ length: 8 }, () => curl()));
  return all.map(({ text }) => (text === hash(small) ? "same" : text));
})();
await http.close();
await station.close();
unplug();
await link.close();
await rm(directory, { recursive: true });
const report: TcpReport = {
  hashes: { served: hash(served), got: down.text, sent, came: up.text },
  down: down.speed,
  up: up.speed,
  together,
  ping,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exit();
