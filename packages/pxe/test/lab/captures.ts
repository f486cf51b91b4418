/**
 * Makes a fixture of what one card and our server said to each other in a capture.
 *
 *   node test/lab/captures.ts PCAP MAC "what the client is" >test/fixtures/dhcp/NAME.hex
 *
 * e2e/soak/run-pxe-matrix.ts --log DIR leaves captures of firmware and boot programs.
 */
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { formatMac, MESSAGE_TYPE, messageType, parseDhcp } from "../../src/index.ts";
import { readPcap } from "./pcap.ts";

/**
 * `> hex` for what the client sent (to port 4011 `>> hex`), `< hex` for what it was answered. What was lost on
 * the way to the server is left out: only RELEASE and DECLINE have no answer.
 */
export async function captureLines(pcap: string, mac: string): Promise<readonly string[]> {
  const asked: { line: string; xid: number; answer?: string; last: boolean }[] = [];
  for (const { toPort, payload } of readPcap(await readFile(pcap))) {
    const parsed = parseDhcp(payload);
    if (!parsed.ok || formatMac(parsed.value.chaddr) !== mac) continue;
    const { op, xid } = parsed.value;
    const hex = Buffer.from(payload).toString("hex");
    const type = messageType(parsed.value) ?? 0;
    const last = type === MESSAGE_TYPE.release || type === MESSAGE_TYPE.decline;
    if (op === 1) asked.push({ line: `${toPort === 4011 ? ">>" : ">"} ${hex}`, xid, last });
    else {
      const question = asked.find((one) => one.xid === xid && one.answer === undefined && !one.last);
      if (question) question.answer = `< ${hex}`;
    }
  }
  return asked.flatMap(({ line, answer, last }) =>
    answer === undefined ? (last ? [line] : []) : [line, answer],
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [pcap = "", mac = "", what = ""] = process.argv.slice(2);
  process.stdout.write([`# ${what}`, ...(await captureLines(pcap, mac)), ""].join("\n"));
}
