import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { PxeError } from "../errors.ts";
import type { PxeEventBody } from "../events.ts";
import type { Closable } from "./closers.ts";
import type { Interface } from "../interfaces.ts";

/** The scope of link-local addresses in /proc/net/if_inet6 (the kernel's IPV6_ADDR_LINKLOCAL). */
const LINK_LOCAL = "20";

/** Whether an interface has more than its link-local address; node:os knows only interfaces with link. */
async function hasIpv6Network(name: string): Promise<boolean> {
  const table = await readFile("/proc/net/if_inet6", "utf8").catch(() => "");
  return table.split("\n").some((line) => {
    const [, , , scope, , device] = line.split(/\s+/);
    return device === name && scope !== LINK_LOCAL;
  });
}

/**
 * Runs dnsmasq and ends it when our end of the pipe closes, which the system sees to even after SIGKILL. A death
 * signal would not do: dnsmasq loses it as it gives up root. Ctrl-C in a terminal reaches us, and we end it.
 */
const KEEPER = `
trap '' INT
exec 4<&0
dnsmasq "$@" 4<&- </dev/null &
child=$!
(read -r line <&4; kill $child) >/dev/null 2>&1 &
watch=$!
exec 4<&-
wait $child
kill $watch 2>/dev/null`;

/**
 * Run dnsmasq for router advertisements alone (no DNS, no DHCPv4, no addresses handed out): Node has no raw
 * sockets to send them from. It needs root and, on the interface, an IPv6 address other than link-local.
 */
export async function startRouterAdvertisements(
  via: Interface,
  emit: (event: PxeEventBody) => void,
): Promise<Closable> {
  if (!(await hasIpv6Network(via.name))) {
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
  const child = spawn("sh", ["-c", KEEPER, "sh", ...args], { stdio: ["pipe", "ignore", "pipe"] });
  child.stdin.on("error", () => undefined);
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
      child.stdin.end();
      await ended;
    },
  };
}
