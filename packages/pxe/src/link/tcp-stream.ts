import { Duplex } from "node:stream";

/** What a connection's stream asks of the connection. */
export interface StreamHooks {
  /** The program gave bytes; they must not change until they are confirmed. */
  write(bytes: Uint8Array): void;
  /** Whether more may be given now; otherwise `resume` is called later. */
  full(): boolean;
  read(bytes: number): void;
  end(): void;
  abort(): void;
}

/** A connection as a stream, with what `node:http` looks for in a socket. */
export interface TcpStream extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** The connection's side of the stream. */
export interface StreamControl {
  readonly stream: TcpStream;
  deliver(bytes: Uint8Array): void;
  peerEnded(): void;
  /** Bytes were confirmed: there may be room again. */
  resume(): void;
  /** The connection is no more. */
  closed(error: (Error & { code: string }) | undefined): void;
}

/** Wrap a connection into a stream. */
export function tcpStream(peer: { address: string; port: number }, hooks: StreamHooks): StreamControl {
  const unread: Uint8Array[] = [];
  let wanted = false;
  let blocked: (() => void) | undefined;
  let peerEnded = false;
  let over = false;
  let idle: NodeJS.Timeout | undefined;

  const drain = (): void => {
    while (wanted) {
      const bytes = unread.shift();
      if (!bytes) break;
      wanted = stream.push(bytes);
      hooks.read(bytes.length);
    }
    if (peerEnded && unread.length === 0) stream.push(null);
  };

  const stream = new Duplex({
    read() {
      wanted = true;
      drain();
    },
    write(bytes: Buffer, _encoding, done) {
      idle?.refresh();
      hooks.write(bytes);
      if (hooks.full()) blocked = done;
      else done();
    },
    final(done) {
      hooks.end();
      done();
    },
    destroy(error, done) {
      clearTimeout(idle);
      unread.length = 0;
      const half = !stream.writableFinished || error !== null;
      if (!over && half) hooks.abort();
      done(error);
    },
  });
  stream.on("error", () => undefined); // a peer that hangs up is no fault of this program

  const socket = Object.assign(stream, {
    remoteAddress: peer.address,
    remoteFamily: "IPv4",
    remotePort: peer.port,
    setNoDelay: () => socket,
    setKeepAlive: () => socket,
    /** Emits `timeout` after so many milliseconds without a word from either side; 0 for never. */
    setTimeout(milliseconds: number, listener?: () => void) {
      clearTimeout(idle);
      if (listener) socket.once("timeout", listener);
      idle = milliseconds > 0 ? setTimeout(() => socket.emit("timeout"), milliseconds).unref() : undefined;
      return socket;
    },
  });

  return {
    stream: socket,
    deliver(bytes) {
      idle?.refresh();
      // The stream may keep the bytes for long: only these, not the whole chunk that they came in.
      unread.push(Buffer.from(bytes));
      drain();
    },
    peerEnded() {
      peerEnded = true;
      drain();
    },
    resume() {
      idle?.refresh();
      if (hooks.full()) return;
      const done = blocked;
      blocked = undefined;
      done?.();
    },
    closed(error) {
      over = true;
      if (error) stream.destroy(error);
      const done = blocked;
      blocked = undefined;
      done?.(); // into the void
    },
  };
}
