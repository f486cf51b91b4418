import type { ClientPlatform } from "./client.ts";

/** What happened; `mac` is known as soon as the address behind it was leased by this server. */
export type PxeEventBody =
  | {
      readonly kind: "listening";
      readonly mode: string;
      readonly address: string;
      readonly script: string;
    }
  | {
      readonly kind: "discover";
      readonly mac: string;
      readonly platform?: ClientPlatform;
      readonly ipxe: boolean;
    }
  /** An offer or a confirmed lease; `boot` is the file or script that the client is sent to. */
  | { readonly kind: "offer" | "ack"; readonly mac: string; readonly address: string; readonly boot?: string }
  /** Overheard by a proxy: a client takes an address from the DHCP server of the network. */
  | { readonly kind: "request"; readonly mac: string; readonly address: string }
  | { readonly kind: "nak"; readonly mac: string; readonly address: string; readonly reason: string }
  | { readonly kind: "decline" | "release"; readonly mac: string; readonly address: string }
  /** A finished TFTP transfer. A probe is a client that only asked for the size. */
  | {
      readonly kind: "tftp";
      /** The client stored the file here. */
      readonly upload?: true;
      readonly client: string;
      readonly mac?: string;
      readonly file: string;
      readonly bytes: number;
      readonly milliseconds: number;
      readonly outcome: "complete" | "probe" | "refused" | "failed";
      readonly retransmissions: number;
      readonly detail?: string;
    }
  /** A finished HTTP answer. */
  | {
      readonly kind: "http";
      readonly client: string;
      readonly mac?: string;
      readonly method: string;
      readonly path: string;
      readonly status: number;
      readonly bytes: number;
      readonly milliseconds: number;
    }
  /** A boot artifact that was fetched whole, by either protocol. */
  | {
      readonly kind: "script" | "kernel" | "initrd";
      readonly client: string;
      readonly mac?: string;
      readonly via: "http" | "tftp";
      readonly bytes: number;
      readonly milliseconds: number;
    }
  /** A booted system reported back with POST /v1/booted; `body` is what it sent. */
  | { readonly kind: "booted"; readonly client: string; readonly mac?: string; readonly body: string }
  | {
      readonly kind: "warning";
      readonly code: PxeWarningCode;
      readonly message: string;
      readonly hint?: string;
      readonly mac?: string;
    };

/** Why a warning was raised. */
export type PxeWarningCode =
  | "binary-missing"
  | "dhcp-other-server"
  | "dhcp-probe-failed"
  | "dhcp-reply-failed"
  | "events-dropped"
  | "helper-failed"
  | "ipv6-wait"
  | "leases-damaged"
  | "leases-failed"
  | "loop"
  | "pool-exhausted"
  | "relay-unknown"
  | "socket";

/** One line of the server's timeline; `at` is in milliseconds since 1970. */
export type PxeEvent = PxeEventBody & { readonly at: number };
