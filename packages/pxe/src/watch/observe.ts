import { identifyClient, type BootClient } from "../client.ts";
import { addressOption, DHCP_OPTION, MESSAGE_TYPE, messageType } from "../dhcp-options.ts";
import type { DhcpMessage } from "../dhcp-packet.ts";

/** What a DHCP request tells an onlooker, whether it is answered or not. */
export interface Observation {
  readonly client: BootClient;
  readonly type: "discover" | "request" | "other";
  /** For how long it has been asking, by its own account. */
  readonly seconds: number;
  /** The client takes another server's offer. */
  readonly otherServer: string | undefined;
  /** Its hardware address is not on the list of those who are answered. */
  readonly notAllowed: boolean;
}

/** Look at a request without answering it. */
export function observeDhcp(
  message: DhcpMessage,
  server: {
    readonly address: string;
    readonly mode: string;
    readonly allow: ReadonlySet<string> | undefined;
  },
): Observation | undefined {
  if (message.op !== 1 || message.chaddr.length === 0) return undefined;
  const client = identifyClient(message);
  const kind = messageType(message);
  // A proxy leases nothing: there it is as it should be.
  const choice = kind === MESSAGE_TYPE.request && server.mode === "authoritative";
  const chosen = choice ? addressOption(message, DHCP_OPTION.serverId) : undefined;
  return {
    client,
    type: kind === MESSAGE_TYPE.discover ? "discover" : kind === MESSAGE_TYPE.request ? "request" : "other",
    seconds: message.secs,
    otherServer: chosen === server.address ? undefined : chosen,
    notAllowed: server.allow !== undefined && !server.allow.has(client.mac),
  };
}
