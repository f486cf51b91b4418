/** Two addresses and a type. */
export const MIN_FRAME = 14;
/** The longest packet of IP with header and a VLAN's tag; QEMU ends a connection that brings more than 68 KiB. */
export const MAX_FRAME = 65_535 + 14 + 4;

export const DESTINATION = 0;
export const SOURCE = 6;

/** The MAC address at an offset, as a number. */
export function addressAt(frame: Uint8Array, offset: number): number {
  let address = 0;
  for (let index = offset; index < offset + 6; index += 1) address = address * 256 + (frame[index] ?? 0);
  return address;
}

/** Whether it is meant for many: multicast, or broadcast. */
export function isGroup(frame: Uint8Array, offset: number): boolean {
  return ((frame[offset] ?? 0) & 1) === 1;
}
