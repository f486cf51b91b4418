import type { UploadQuota } from "./boots/upload-store.ts";
import type { PxeBundle } from "./bundle-files.ts";
import type { ClientPlatform } from "./client.ts";
import type { PxeEvent } from "./events.ts";
import type { Lease } from "./leases.ts";
import type { LoaderOptions } from "./loaders/loader-options.ts";
import type { FrameLink } from "./link/frame-link.ts";
import type { TftpServerOptions } from "./tftp-server.ts";
import type { Explanation } from "./watch/explain.ts";
import type { MachineRecord } from "./watch/machine-book.ts";

/**
 * `authoritative`: lease addresses and boot clients; for a cable between two computers or a network of their
 * own. `proxy`: only name boot files, beside the DHCP server that the network has. `files`: serve them by TFTP
 * and HTTP; a DHCP server that you have set up names them. `http-only`: the same without TFTP.
 */
export type PxeMode = "authoritative" | "proxy" | "files" | "http-only";

/** How to serve a bundle to other computers. */
export interface ServePxeOptions {
  /** What every machine boots, unless a policy says otherwise. */
  readonly bundle?: PxeBundle | undefined;
  /** A policy file (YAML) instead of one bundle; it is read again when it changes. */
  readonly policy?: string | undefined;
  /** Directory for what must survive a crash; in memory unless told. */
  readonly state?: string | undefined;
  /** Take results from booted machines, with a quota for each run. */
  readonly uploads?: ({ readonly directory: string } & UploadQuota) | undefined;
  /** A file whose token lets others than this machine change queues and policy. */
  readonly apiToken?: string | undefined;
  /** PEM files: HTTPS instead of HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** The network interface, by name; there is no default, on purpose. */
  readonly interface?: string | undefined;
  /**
   * A cable instead of an interface, such as `listenFrames` makes: the server is a machine on it, without root
   * and without ports of this machine. It announces an IPv6 router, and does not look for other DHCP servers.
   */
  readonly link?: FrameLink | undefined;
  /** Which of the interface's IPv4 addresses, the first unless told; on a cable any, `10.77.0.1/24` unless told. */
  readonly address?: string | undefined;
  readonly mode: PxeMode;
  /** Addresses to lease, `FIRST-LAST`; the upper end of the network unless told; `none` for fixed ones only. */
  readonly pool?: string | undefined;
  /** Fixed addresses by hardware address. */
  readonly leases?: Readonly<Record<string, string>> | undefined;
  /**
   * Authoritative: the file that keeps leases over a restart, a crash or a loss of power; made when it is not
   * there, and used by one server at a time. Without it leases are kept in memory.
   */
  readonly leaseFile?: string | undefined;
  /** Only these hardware addresses are answered. */
  readonly allow?: readonly string[] | undefined;
  /** 3600 unless told. */
  readonly leaseSeconds?: number | undefined;
  /** Passed on to clients; none unless told. */
  readonly router?: string | undefined;
  readonly dns?: readonly string[] | undefined;
  /** Defaults: dhcp 67, client 68, boot 4011, tftp 69, http 8080; http 0 picks a free one. */
  readonly ports?:
    | {
        readonly dhcp?: number | undefined;
        readonly client?: number | undefined;
        readonly boot?: number | undefined;
        readonly tftp?: number | undefined;
        readonly http?: number | undefined;
      }
    | undefined;
  /** How files are served by TFTP, and where clients may store some: nowhere unless told. */
  readonly tftp?:
    | Pick<TftpServerOptions, "singlePort" | "uploads" | "limits" | "sessionsPerClient" | "sessions">
    | undefined;
  /** By which boot programs machines load Linux. */
  readonly loaders?: LoaderOptions | undefined;
  /** iPXE, or whatever stands for it, by platform, instead of what is found in the distribution. */
  readonly binaries?: Readonly<Partial<Record<ClientPlatform, string>>> | undefined;
  /** Announce an IPv6 router by running dnsmasq (root), so that old iPXE does not wait 16 s for one. */
  readonly ra?: boolean | undefined;
  /** Authoritative: do not look for other DHCP servers, and share port 67. */
  readonly force?: boolean | undefined;
  /** Authoritative: how long to look for other DHCP servers; 3500 ms unless told. */
  readonly probeMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: PxeEvent) => void) | undefined;
}

/** A running boot server. Disposing it closes every socket and ends `events()`. */
export interface PxeServer extends AsyncDisposable {
  readonly mode: PxeMode;
  /** The interface's name; `link` for a cable. */
  readonly interface: string;
  readonly address: string;
  /** The ports in use; those of services that the mode leaves out are undefined. */
  readonly ports: {
    readonly http: number;
    readonly tftp: number | undefined;
    readonly dhcp: number | undefined;
    readonly boot: number | undefined;
  };
  /** Where files are found by HTTP; kernel and manifest are there when one bundle is served. */
  readonly urls: { readonly script: string; readonly kernel: string; readonly manifest: string };
  /** The timeline from now on, until the server is closed. */
  events(): AsyncIterableIterator<PxeEvent>;
  /** The addresses leased by now (authoritative mode). */
  leases(): readonly Lease[];
  /** What was seen of each machine, with its last boots. */
  machines(): readonly MachineRecord[];
  /** Why a machine was or was not served. */
  explain(mac: string): Explanation;
  close(): Promise<void>;
  /** Resolves when the server is closed, by whomever. */
  readonly closed: Promise<void>;
}
