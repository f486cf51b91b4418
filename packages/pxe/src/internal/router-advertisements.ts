import { spawn } from "node:child_process";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { PxeError } from "../errors.ts";
import type { PxeEventBody } from "../events.ts";
import type { Closable } from "./closers.ts";
import type { Interface } from "../interfaces.ts";

/**
 * Run dnsmasq for router advertisements alone (no DNS, no DHCPv4, no addresses handed out): Node has no raw
 * sockets to send them from. It needs root and, on the interface, an IPv6 address other than link-local.
 */
export async function startRouterAdvertisements(
  via: Interface,
  emit: (event: PxeEventBody) => void,
): Promise<Closable> {
  const own = networkInterfaces()[via.name] ?? [];
  if (!own.some(({ family, address }) => family === "IPv6" && !address.startsWith("fe80:"))) {
    throw new PxeError("PXE_HELPER_FAILED", `"${via.name}" has no IPv6 address to announce a network of`, {
      hint: `give it one: ip -6 address add fd77::1/64 dev ${via.name}`,
    });
  }
  const args = [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--port=0",
    `--interface=${via.name}`,
    "--bind-dynamic",
    "--enable-ra",
    // Lifetime 0: "I am no default router".
    `--ra-param=${via.name},10,0`,
    `--dhcp-range=::,constructor:${via.name},ra-stateless`,
    "--dhcp-leasefile=/dev/null",
    "--log-facility=-",
  ];
  const child = spawn("dnsmasq", args, { stdio: ["ignore", "ignore", "pipe"] });
  let printed = "";
  child.stderr.on("data", (part: Buffer) => {
    printed = `${printed}${part.toString()}`.slice(-2000);
  });
  let stopping = false;
  const ended = once(child, "close").catch(() => undefined);
  const failure = new Promise<Error>((resolve) => child.once("error", resolve));
  const early = await Promise.race([failure, ended.then(() => "ended" as const), delay(300)]);
  if (early !== undefined) {
    const why = early === "ended" ? (printed.trim().split("\n").at(-1) ?? "it ended") : early.message;
    throw new PxeError(
      "PXE_HELPER_FAILED",
      `Cannot announce an IPv6 router on "${via.name}" by dnsmasq: ${why}`,
      {
        hint: "it needs the package dnsmasq-base and root; leave router advertisements out otherwise",
      },
    );
  }
  void ended.then(() => {
    if (stopping) return;
    const message = `dnsmasq, which announced the IPv6 router, has ended: ${printed.trim().split("\n").at(-1) ?? ""}`;
    emit({ kind: "warning", code: "helper-failed", message });
  });
  return {
    async close() {
      stopping = true;
      child.kill();
      await ended;
    },
  };
}
