/** Where a datagram comes from or goes to. */
export interface TftpPeer {
  readonly address: string;
  readonly port: number;
}

/** A UDP port of the server. */
export interface TftpPort {
  /**
   * Send, or drop: a datagram that could not be sent is as lost as any other. True when the bytes have gone and
   * may be overwritten; otherwise they are left alone.
   */
  send(datagram: Uint8Array, to: TftpPeer): boolean;
  close(): Promise<void>;
}

/** What a transfer's port reports. */
export interface TftpPortEvents {
  receive(datagram: Uint8Array, from: TftpPeer): void;
  failed(error: Error): void;
}

/** What a TFTP service stands on: a clock, and ports. Real sockets, a layer-2 endpoint or a simulation. */
export interface TftpHost {
  /** Milliseconds on a clock that does not go back. */
  now(): number;
  /** Call back once, not before `at` on that clock; returns how to call it off. */
  wake(at: number, callback: () => void): () => void;
  /** A port of its own for a transfer. Without it all transfers share the port of the requests. */
  open?(events: TftpPortEvents): Promise<TftpPort>;
}
