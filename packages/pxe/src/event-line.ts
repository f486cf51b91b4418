import type { PxeEvent } from "./events.ts";
import { formatBytes, tame } from "./internal/units.ts";
import { formatBoot } from "./watch/format-boot.ts";

function transfer(event: { bytes: number; milliseconds: number }): string {
  return `${formatBytes(event.bytes)} in ${(event.milliseconds / 1000).toFixed(2)} s`;
}

function describe(event: PxeEvent): string {
  switch (event.kind) {
    case "listening":
      return `${event.mode} on ${event.address}; the script is at ${event.script}`;
    case "discover":
      return `${event.ipxe ? "iPXE" : "firmware or system"}${event.platform ? ` (${event.platform})` : ""} asks for an address`;
    case "offer":
    case "ack":
      return `${event.address}${event.boot === undefined ? "" : ` -> ${event.boot}`}`;
    case "nak":
      return `${event.address} refused: ${event.reason}`;
    case "request":
    case "decline":
    case "release":
      return event.address;
    case "tftp": {
      const again = event.retransmissions > 0 ? `, ${event.retransmissions} repeated` : "";
      const detail = event.detail === undefined ? "" : `: ${tame(event.detail)}`;
      const what = event.upload === true ? "upload " : "";
      return `${tame(event.file)} ${what}${event.outcome}, ${transfer(event)}${again}${detail}`;
    }
    case "http": {
      const detail = event.detail === undefined ? "" : `: ${tame(event.detail)}`;
      return `${event.method} ${tame(event.path)} ${event.status}, ${transfer(event)}${detail}`;
    }
    case "loader":
    case "script":
    case "kernel":
    case "initrd":
      return `${transfer(event)} by ${event.via}`;
    case "booted":
      return tame(event.body);
    case "result":
      return `${event.run} ${tame(event.body)}`;
    case "upload":
      return `${event.run}/${event.file}, ${transfer(event)}`;
    case "plan": {
      const by = event.rule === undefined ? "its queue" : `rule ${event.rule + 1}`;
      return `${tame(event.plan)} by ${by}${event.run === undefined ? "" : `, run ${event.run}`}`;
    }
    case "queue":
      return event.plans === 1 ? "one plan waits" : `${event.plans} plans wait`;
    case "policy":
      return `${event.rules} rules of ${event.file} are in force`;
    case "boot":
      return formatBoot(event.boot).replaceAll("\n", "\n           ");
    default:
      return `${event.message}${event.hint === undefined ? "" : ` (${event.hint})`}`;
  }
}

/**
 * One event as a line: seconds since `began` (milliseconds since 1970), who, what.
 *
 * @example
 * ```ts
 * import { formatEvent } from "@justenough/pxe";
 * console.log(formatEvent({ kind: "release", mac: "52:54:00:12:34:56", address: "10.77.0.150", at: 1500 }, 0));
 * ```
 */
export function formatEvent(event: PxeEvent, began: number): string {
  const seconds = ((event.at - began) / 1000).toFixed(3).padStart(9);
  const address = "client" in event ? event.client : undefined;
  const who = ("mac" in event ? event.mac : undefined) ?? address ?? "-";
  return `${seconds}  ${who.padEnd(17)}  ${event.kind.padEnd(9)}  ${describe(event)}`;
}
