/** The top 80 bytes of the ROM: assets/clock.S as assembled by GNU as. A test assembles it anew and compares. */
export const CLOCK_CODE: Uint8Array = Buffer.from(
  "+usMuv0D7KgBdPi6+APsDzFmidO6AgS5BADuZsHoCOL5ZonYuQQA7mbB6Aji+evTAAAAAAAAAAAAAAAAAAAAAOqw/wDwAAAAAAAAAAAAAAA=",
  "base64",
);
