import type { ClientPlatform } from "./client.ts";
import type { BootRecord } from "./watch/boot-record.ts";

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
      /** Why the server could not answer. */
      readonly detail?: string;
    }
  /** A boot artifact that was fetched whole, by either protocol. */
  | {
      readonly kind: "loader" | "script" | "kernel" | "initrd";
      readonly client: string;
      readonly mac?: string;
      readonly via: "http" | "tftp";
      readonly bytes: number;
      readonly milliseconds: number;
      /** Of that, how long the client waited for this server: for the first byte, and for the disk. */
      readonly serverMs?: number;
    }
  /** A booted system called back; `body` is what it sent. */
  | {
      readonly kind: "booted";
      readonly client: string;
      readonly mac?: string;
      readonly run?: string;
      readonly body: string;
    }
  /** A run is over; `body` is what the machine said of it. */
  | {
      readonly kind: "result";
      readonly client: string;
      readonly mac?: string;
      readonly run: string;
      readonly body: string;
    }
  /** A machine has sent a file. */
  | {
      readonly kind: "upload";
      readonly client: string;
      readonly mac?: string;
      readonly run: string;
      readonly file: string;
      readonly bytes: number;
      readonly milliseconds: number;
    }
  /** What a machine was sent to; `rule` counts from 0 and lacks when its queue decided. */
  | {
      readonly kind: "plan";
      readonly mac: string;
      readonly plan: string;
      readonly rule?: number;
      readonly run?: string;
    }
  /** The plans of a machine's queue were replaced. */
  | { readonly kind: "queue"; readonly mac: string; readonly plans: number }
  /** A policy has come into force. */
  | { readonly kind: "policy"; readonly file: string; readonly rules: number }
  /** The whole of a boot, told once: when the system has called, or nothing more has come for a while. */
  | { readonly kind: "boot"; readonly mac: string; readonly boot: BootRecord }
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
  | "boot-timeout"
  | "dhcp-other-server"
  | "dhcp-probe-failed"
  | "dhcp-reply-failed"
  | "events-dropped"
  | "helper-failed"
  | "ipv6-wait"
  | "leases-damaged"
  | "leases-failed"
  | "loop"
  | "offer-untaken"
  | "policy-invalid"
  | "pool-exhausted"
  | "refused"
  | "relay-unknown"
  | "socket";

/** One line of the server's timeline; `at` is in milliseconds since 1970. */
export type PxeEvent = PxeEventBody & { readonly at: number };
