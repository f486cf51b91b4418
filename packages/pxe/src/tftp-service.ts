import type { PxeEventBody } from "./events.ts";
import { prepareRead, type PreparedRead } from "./internal/tftp-prepare.ts";
import { congestion } from "./internal/congestion.ts";
import { pieceCache } from "./internal/read-ahead.ts";
import { refusalLog } from "./internal/refusal-log.ts";
import { sessionTable, type SessionEntry } from "./internal/session-table.ts";
import { readSession } from "./internal/tftp-read-session.ts";
import { TftpRefusal } from "./tftp-refusal.ts";
import type { SessionParts, SessionResult } from "./internal/tftp-session.ts";
import { writeSession } from "./internal/tftp-write-session.ts";
import { fromNetascii } from "./netascii.ts";
import type { TftpHost, TftpPeer, TftpPort } from "./tftp-host.ts";
import { agreeOptions, TFTP_LIMITS, type TftpLimits } from "./tftp-options.ts";
import { encodeTftp, parseTftp, TFTP_ERROR, type TftpPacket } from "./tftp-packet.ts";
import type { UploadRoot, UploadSink } from "./tftp-uploads.ts";
import type { VirtualFiles } from "./virtual-files.ts";

/** What is served, to whom, and how much of it at a time. */
export interface TftpServiceOptions {
  readonly files: VirtualFiles;
  /** Where clients may store files; nowhere unless told. */
  readonly uploads?: UploadRoot | undefined;
  readonly limits?: TftpLimits | undefined;
  /** Most transfers at a time, for one client address (16) and in total (4096). */
  readonly sessionsPerClient?: number | undefined;
  readonly sessions?: number | undefined;
  /** Whether a client's address is answered at all. */
  readonly accepts?: ((address: string) => boolean) | undefined;
  readonly onEvent?: ((event: PxeEventBody) => void) | undefined;
}

/** A TFTP server without sockets. */
export interface TftpService {
  /** A datagram that came to the port of the requests. */
  receive(datagram: Uint8Array, from: TftpPeer): void;
  /** Requests whose file or port is being opened: something is going on that takes no time of the host's clock. */
  readonly opening: number;
  /** Transfers under way. */
  readonly sessions: number;
  close(): Promise<void>;
}

type Request = Extract<TftpPacket, { kind: "read" | "write" }>;

/** RFC 2347 allows 512 bytes; what is longer by far is not kept while its transfer runs. */
const LONGEST_REQUEST = 2048;
/** What is kept of the files that all transfers read. */
const READ_MEMORY = 64 << 20;
/** A client that confirmed something so recently has not begun anew: its request came twice. */
const ALIVE_MS = 1000;

/**
 * A TFTP server (RFC 1350, 2347, 2348, 2349, 7440) on any host: `host` has the clock and makes the ports of
 * transfers, `port` is the one that requests come to, whose owner passes them to `receive`.
 *
 * @example
 * ```ts
 * import { createTftpService, encodeTftp, parseTftp } from "@justenough/pxe";
 * const bytes = new TextEncoder().encode("hello\n");
 * const service = createTftpService(
 *   { files: new Map([["hello.txt", { kind: "bytes", bytes } as const]]) },
 *   {
 *     now: () => performance.now(),
 *     wake(at, callback) {
 *       const timer = setTimeout(callback, at - performance.now());
 *       return () => clearTimeout(timer);
 *     },
 *   },
 *   {
 *     send(datagram, to) {
 *       console.log(to, parseTftp(datagram));
 *       return true;
 *     },
 *   },
 * );
 * const request = { kind: "read", file: "hello.txt", mode: "octet", options: new Map() } as const;
 * service.receive(encodeTftp(request), { address: "192.0.2.1", port: 4711 });
 * setTimeout(() => void service.close(), 10);
 * ```
 */
export function createTftpService(
  options: TftpServiceOptions,
  host: TftpHost,
  port: Pick<TftpPort, "send">,
): TftpService {
  const emit = options.onEvent ?? (() => undefined);
  const table = sessionTable({
    perClient: options.sessionsPerClient ?? 16,
    total: options.sessions ?? 4096,
  });
  const log = refusalLog(() => host.now());
  const cache = pieceCache(READ_MEMORY);
  const traffic = congestion(() => host.now());
  const ends = new Set<Promise<unknown>>();
  let opening = 0;
  let closed = false;

  const refuse = (to: TftpPeer, file: string, code: number, message: string): void => {
    if (closed) return;
    port.send(encodeTftp({ kind: "error", code, message }), to);
    const detail = log.note(to.address, file, message);
    if (detail === undefined) return;
    const nothing = { bytes: 0, milliseconds: 0, retransmissions: 0 } as const;
    emit({ kind: "tftp", client: to.address, file, outcome: "refused", detail, ...nothing });
  };

  /** The port of a transfer: its own, on which strangers are turned away, or the common one. */
  const openPort = async (entry: SessionEntry): Promise<TftpPort> => {
    const { client } = entry;
    if (!host.open)
      return { send: (datagram, to) => port.send(datagram, to), close: () => Promise.resolve() };
    const own = await host.open({
      receive(datagram, from) {
        if (from.port === client.port && from.address === client.address) entry.session?.receive(datagram);
        else if (datagram[1] !== 5) {
          const code = TFTP_ERROR.unknownTransfer;
          own.send(encodeTftp({ kind: "error", code, message: "Unknown transfer" }), from);
        }
      },
      failed: (error) => void entry.session?.abandon(error.message, false),
    });
    return own;
  };

  const parts = (
    entry: SessionEntry,
    own: TftpPort,
    file: string,
    what: { readonly role?: PreparedRead["role"]; readonly upload?: true },
  ): SessionParts => {
    const { role, ...upload } = what;
    const client = entry.client.address;
    return {
      host,
      port: own,
      client: entry.client,
      ended(result: SessionResult) {
        table.settle(entry);
        // Nobody confirmed anything: a forged address perhaps, one of a flood.
        const doubtful = result.outcome === "failed" && entry.session?.heard() !== true;
        const detail = doubtful ? log.note(client, file, result.detail ?? "") : result.detail;
        if (doubtful && detail === undefined) return;
        emit({
          kind: "tftp",
          ...upload,
          client,
          file,
          ...result,
          ...(detail === undefined ? {} : { detail }),
        });
        const { bytes, milliseconds } = result;
        if (result.outcome === "complete" && role !== undefined) {
          emit({ kind: role, via: "tftp", client, bytes, milliseconds });
        }
      },
      closed: () => table.remove(entry),
    };
  };

  const begin = async (request: Request, entry: SessionEntry): Promise<void> => {
    const asked = request.options;
    const limits = options.limits ?? TFTP_LIMITS;
    let release: (() => Promise<void>) | undefined;
    try {
      if (request.mode !== "octet" && request.mode !== "netascii") {
        throw new TftpRefusal(TFTP_ERROR.illegalOperation, `Unknown mode ${request.mode}`);
      }
      if (request.kind === "read") {
        const read = await prepareRead(options.files, request, entry.client.address);
        release = () => read.file.close();
        const own = await openPort(entry);
        const terms = agreeOptions(asked, request.mode === "octet" ? read.file.size : undefined, limits);
        const common = parts(entry, own, read.name, { role: read.role });
        entry.session = readSession({ ...common, file: read.file, terms, cache, congestion: traffic });
      } else {
        const sink = await openSink(request);
        release = () => sink.release();
        const own = await openPort(entry);
        const terms = agreeOptions(asked, announcedSize(request), limits);
        const decode = request.mode === "octet" ? (bytes: Uint8Array) => bytes : fromNetascii();
        entry.session = writeSession({
          ...parts(entry, own, request.file, { upload: true }),
          sink,
          terms,
          decode,
        });
      }
      if (closed) await entry.session.abandon("the server was closed", true);
      else entry.session.start();
    } catch (error) {
      await release?.().catch(() => undefined);
      table.remove(entry);
      if (error instanceof TftpRefusal) refuse(entry.client, request.file, error.tftp, error.message);
      else {
        const what = request.kind === "read" ? "read" : "store";
        refuse(entry.client, request.file, TFTP_ERROR.undefined, `Cannot ${what} the file: ${String(error)}`);
      }
    }
  };

  const openSink = (request: Request): Promise<UploadSink> => {
    const { uploads } = options;
    if (!uploads) throw new TftpRefusal(TFTP_ERROR.accessViolation, "This server takes no files");
    return uploads.create(request.file, announcedSize(request));
  };

  return {
    receive(datagram, from) {
      if (closed) return;
      if (options.accepts && !options.accepts(from.address)) return;
      const known = table.get(from);
      const request = datagram[0] === 0 && (datagram[1] === 1 || datagram[1] === 2);
      if (!request) {
        // A transfer's packets come here only when it has no port of its own.
        if (!host.open) known?.session?.receive(datagram);
        return;
      }
      const parsed = datagram.length > LONGEST_REQUEST ? undefined : parseTftp(datagram);
      if (!parsed?.ok || (parsed.value.kind !== "read" && parsed.value.kind !== "write")) return;
      if (known) {
        const { session } = known;
        const alive = !session?.heard() || host.now() - session.quietSince() < ALIVE_MS;
        // A repetition: our answer was lost and its timer sees to it, or the network doubled the request.
        if (!session || (alive && !session.over() && Buffer.compare(known.request, datagram) === 0)) return;
        // Another one, or the same after a silence, is of a client that began anew from a fixed port.
        table.remove(known);
        void session.abandon("the client began anew", false);
      }
      const entry = table.admit(from, Uint8Array.from(datagram));
      if (!entry)
        return refuse(from, parsed.value.file, TFTP_ERROR.undefined, "Too many transfers, try again");
      opening++;
      const end = begin(parsed.value, entry).finally(() => {
        opening--;
        ends.delete(end);
      });
      ends.add(end);
    },
    get opening() {
      return opening;
    },
    get sessions() {
      return table.size;
    },
    async close() {
      if (closed) return;
      closed = true;
      for (const { session } of table.entries())
        if (session) ends.add(session.abandon("the server was closed", true));
      await Promise.all(ends);
    },
  };
}

/** The size that a client says it will store (RFC 2349). */
function announcedSize(request: Request): number | undefined {
  const text = request.options.get("tsize");
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
