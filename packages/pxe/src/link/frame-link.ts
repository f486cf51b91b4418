/**
 * A cable: whatever gives and takes Ethernet frames (addresses, type and data, without checksum). A port of
 * `createSwitch` in `@justenough/qemu/net` is one, and so is what `frameStream` and `listenFrames` make.
 */
export interface FrameLink {
  /** What arrives; it ends when the cable is pulled. A frame is read before the next one is asked for. */
  readonly frames: AsyncIterable<Uint8Array>;
  /** Sends a frame, or drops it when the other side does not keep up. */
  send(frame: Uint8Array): unknown;
}
