/** What real clients sent and were answered, byte for byte: see lab/captures.ts for how it was recorded. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import {
  dhcpState,
  encodeDhcp,
  MESSAGE_TYPE,
  messageType,
  parseDhcp,
  proxyState,
  stepDhcp,
  stepProxy,
  type DhcpConfig,
  type DhcpMessage,
} from "../src/index.ts";
import { CONFIG } from "./dhcp-lab.ts";

const directory = fileURLToPath(new URL("fixtures/dhcp/", import.meta.url));

/** What the server offered where it was not iPXE. */
const UKI = { kind: "uki", file: "uki.efi", always: true } as const;
const LOADERS: Readonly<Record<string, DhcpConfig["site"]["loaders"]>> = {
  "ovmf-arm64.hex": { "efi-arm64": UKI },
  "ovmf-http.hex": { "efi-x64": UKI },
  "pxelinux.hex": { bios: { kind: "pxelinux", file: "pxelinux.0", always: true } },
};

function parse(hex: string): DhcpMessage {
  const parsed = parseDhcp(Buffer.from(hex, "hex"));
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

test.each(readdirSync(directory))("%s", (file) => {
  const [title = "", ...lines] = readFileSync(`${directory}${file}`, "utf8").trim().split("\n");
  expect(title).toMatch(/^# /);
  const answers = lines.filter((line) => line.startsWith("< ")).map((line) => parse(line.slice(2)));
  // The address that it was given: the pool began with it.
  const first = answers.find((answer) => answer.yiaddr !== "0.0.0.0")?.yiaddr;
  const proxy = first === undefined;
  const space = { ...CONFIG.space, pool: { first: first ?? "10.77.0.50", last: "10.77.0.199" } };
  const seconds = (answer: DhcpMessage | undefined): number =>
    Buffer.from(answer?.options.get(51) ?? [0, 0, 14, 16]).readUInt32BE();
  const state = dhcpState({ ...CONFIG, space });
  const stages = proxyState();
  let now = 1000;
  let replied = 0;
  const heard: string[] = [];
  for (const line of lines) {
    const [mark = "", hex = ""] = line.split(" ");
    if (mark === "<") {
      heard.push(line);
      continue;
    }
    const message = parse(hex);
    // Our own writer keeps whatever a client says, whichever way round it says it.
    expect(parse(Buffer.from(encodeDhcp(message, { maxBytes: 1500 })).toString("hex"))).toEqual(message);
    now += 1000;
    const site = { ...CONFIG.site, loaders: LOADERS[file] };
    const config = { ...CONFIG, site, space, leaseSeconds: seconds(answers[replied]) };
    const port = mark === ">>" ? "boot" : "dhcp";
    const from = { address: message.ciaddr, port: 68 };
    const actions = proxy
      ? stepProxy(config, stages, { message, port, from }, now)
      : stepDhcp(config, state, message, now);
    for (const action of actions) {
      if (action.kind !== "send") continue;
      replied++;
      heard.push(
        `< ${Buffer.from(encodeDhcp(action.message, { maxBytes: action.maxBytes })).toString("hex")}`,
      );
      expect(heard.at(-1), `${file}, answer ${replied}`).toBe(
        lines.filter((one) => one.startsWith("<"))[replied - 1],
      );
    }
  }
  expect(replied).toBe(answers.length);
  expect(replied).toBeGreaterThan(0);
  if (!proxy) expect(answers.some((answer) => messageType(answer) === MESSAGE_TYPE.ack)).toBe(true);
});
