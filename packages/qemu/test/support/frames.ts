/** Frames for the tests: a station's number is the last byte of its address. */

export const BROADCAST = 0xff;

export function stationAddress(station: number): Uint8Array {
  return station === BROADCAST ? new Uint8Array(6).fill(0xff) : Uint8Array.of(0x52, 0x54, 0, 0, 0, station);
}

/** Of the type for experiments (IEEE 802, 88b5). */
export function frameOf(to: number, from: number, data: Uint8Array | string = ""): Uint8Array {
  return Buffer.concat([
    stationAddress(to),
    stationAddress(from),
    Uint8Array.of(0x88, 0xb5),
    typeof data === "string" ? Buffer.from(data) : data,
  ]);
}

/** Behind the header, as text. */
export function dataOf(frame: Uint8Array): string {
  return Buffer.from(frame).toString("latin1", 14);
}
