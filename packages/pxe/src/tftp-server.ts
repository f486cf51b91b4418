import type { RemoteInfo } from "node:dgram";
import { HOST_NETWORK, type Network } from "./internal/network.ts";
import { closeUdp, type UdpSocket } from "./internal/udp.ts";
import { createSession, type Session } from "./internal/tftp-session.ts";
import type { PxeEventBody } from "./events.ts";
import { toNetascii } from "./netascii.ts";
import { agreeOptions, TFTP_LIMITS, type TftpLimits } from "./tftp-options.ts";
import { encodeTftp, parseTftp, TFTP_ERROR, type TftpPacket } from "./tftp-packet.ts";
import { fileKey, openVirtual, type OpenFile, type VirtualFile, type VirtualFiles } from "./virtual-files.ts";

/** How to serve files by TFTP. */
export interface TftpServerOptions {
  /** The address to listen on and to answer from. */
  readonly address: string;
  /** 69 unless told; 0 picks a free one. */
  readonly port?: number | undefined;
  readonly files: VirtualFiles;
  readonly limits?: TftpLimits | undefined;
  /** Most transfers at a time, for one client address (16) and in total (1024). */
  readonly sessionsPerClient?: number | undefined;
  readonly sessions?: number | undefined;
  /** Whether a client's address is answered at all. */
  readonly accepts?: ((address: string) => boolean) | undefined;
  readonly onEvent?: ((event: PxeEventBody) => void) | undefined;
  /** Whose sockets: this machine's unless told; see `openStation`. */
  readonly network?: Network | undefined;
}

/** A running TFTP server; disposing it ends its transfers. */
export interface TftpServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Netascii is converted in memory, so only small files are sent that way. */
const MOST_NETASCII = 1 << 20;

type ReadRequest = Extract<TftpPacket, { kind: "read" | "write" }>;

class Refusal extends Error {
  readonly tftp: number;
  constructor(tftp: number, message: string) {
    super(message);
    this.tftp = tftp;
  }
}

async function prepare(
  files: VirtualFiles,
  request: ReadRequest,
  client: string,
): Promise<{ file: OpenFile; entry: VirtualFile; name: string }> {
  if (request.kind === "write") throw new Refusal(TFTP_ERROR.accessViolation, "This server takes no files");
  if (request.mode !== "octet" && request.mode !== "netascii") {
    throw new Refusal(TFTP_ERROR.illegalOperation, `Unknown mode ${request.mode}`);
  }
  const name = fileKey(request.file);
  if (name === undefined) throw new Refusal(TFTP_ERROR.accessViolation, "No such place");
  const entry = files.get(name);
  if (!entry) throw new Refusal(TFTP_ERROR.notFound, "File not found");
  const file = await openVirtual(entry, { via: "tftp", client });
  if (request.mode === "octet") return { file, entry, name };
  try {
    if (file.size > MOST_NETASCII)
      throw new Refusal(TFTP_ERROR.undefined, "Too large for netascii, use octet");
    const bytes = toNetascii(await file.read(0, file.size));
    return { file: await openVirtual({ kind: "bytes", bytes }, { via: "tftp", client }), entry, name };
  } finally {
    await file.close();
  }
}

/**
 * Serve files read-only (RFC 1350, 2347, 2348, 2349, 7440): every transfer from a port of its own, with a
 * retransmission timer that follows the measured round trip.
 *
 * @example
 * ```ts
 * import { startTftpServer } from "@justenough/pxe";
 * const files = new Map([["hello.txt", { kind: "bytes", bytes: new TextEncoder().encode("hello\n") } as const]]);
 * const server = await startTftpServer({ address: "127.0.0.1", port: 0, files });
 * console.log(`curl tftp://127.0.0.1:${server.port}/hello.txt`);
 * await server.close();
 * ```
 */
export async function startTftpServer(options: TftpServerOptions): Promise<TftpServer> {
  const { address, files } = options;
  const emit = options.onEvent ?? (() => undefined);
  const perClient = options.sessionsPerClient ?? 16;
  const total = options.sessions ?? 1024;
  const { bindUdp } = options.network ?? HOST_NETWORK;
  const socket = await bindUdp({ address, port: options.port ?? 69, purpose: "TFTP" });
  const sessions = new Map<string, Session>();
  /** Requests whose file is being opened; they count as sessions. */
  const opening = new Set<string>();
  let closed = false;

  const refuse = (from: RemoteInfo, file: string, code: number, message: string): void => {
    if (closed) return;
    socket.send(encodeTftp({ kind: "error", code, message }), from.port, from.address, () => undefined);
    emit({
      kind: "tftp",
      client: from.address,
      file,
      bytes: 0,
      milliseconds: 0,
      outcome: "refused",
      retransmissions: 0,
      detail: message,
    });
  };

  const open = async (request: ReadRequest, from: RemoteInfo, key: string): Promise<void> => {
    let file: OpenFile | undefined;
    let transfer: UdpSocket | undefined;
    try {
      const prepared = await prepare(files, request, from.address);
      file = prepared.file;
      transfer = await bindUdp({ address, port: 0, purpose: "a TFTP transfer" });
      if (closed) throw new Refusal(TFTP_ERROR.undefined, "Server is closing");
      const terms = agreeOptions(
        request.options,
        request.mode === "octet" ? file.size : undefined,
        options.limits ?? TFTP_LIMITS,
      );
      const session = createSession({ socket: transfer, file, terms, client: from, name: prepared.name });
      sessions.set(key, session);
      void session.ended.then((summary) => {
        if (sessions.get(key) === session) sessions.delete(key);
        emit({ kind: "tftp", ...summary });
        const { role } = prepared.entry;
        if (summary.outcome !== "complete" || role === undefined) return;
        const { client, bytes, milliseconds } = summary;
        emit({ kind: role, via: "tftp", client, bytes, milliseconds });
      });
      session.start();
    } catch (error) {
      await file?.close();
      if (transfer) await closeUdp(transfer);
      if (error instanceof Refusal) refuse(from, request.file, error.tftp, error.message);
      else refuse(from, request.file, TFTP_ERROR.undefined, `Cannot read the file: ${String(error)}`);
    } finally {
      opening.delete(key);
    }
  };

  socket.on("message", (bytes, from) => {
    if (options.accepts && !options.accepts(from.address)) return;
    const parsed = parseTftp(bytes);
    if (!parsed.ok) return;
    const packet = parsed.value;
    if (packet.kind !== "read" && packet.kind !== "write") return;
    const key = `${from.address}:${from.port}`;
    if (opening.has(key)) return;
    const running = sessions.get(key);
    if (running) {
      // The same request again means that our answer was lost; the timer sees to it. After progress it is
      // a client that began anew from a fixed port, as some ROMs do.
      if (!running.heard()) return;
      running.abandon("the client began anew");
      sessions.delete(key);
    }
    const keys = [...sessions.keys(), ...opening];
    const own = keys.filter((other) => other.startsWith(`${from.address}:`)).length;
    if (keys.length >= total || own >= perClient) {
      refuse(from, packet.file, TFTP_ERROR.undefined, "Too many transfers, try again");
      return;
    }
    opening.add(key);
    void open(packet, from, key);
  });
  socket.on("error", (error) =>
    emit({ kind: "warning", code: "socket", message: `TFTP on ${address}: ${error.message}` }),
  );

  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    const running = [...sessions.values()];
    for (const session of running) session.abandon("the server was closed");
    await Promise.all([closeUdp(socket), ...running.map((session) => session.ended)]);
  };
  return { address, port: socket.address().port, close, [Symbol.asyncDispose]: close };
}
