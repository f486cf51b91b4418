/** The top 160 bytes of the ROM: assets/clock.S as assembled by GNU as. A test assembles it anew and compares. */
export const CLOCK_CODE: Uint8Array = Buffer.from(
  [
    "+scGMACW/8cGMgAA8LAR5iCwCOYhsATmIbAB5iGw7+YhuvkDsAHuuvwDsAjuDzHoHgD79Ov8DzFmicNmida6+APssCDmIGaJ2GaJ8ugB",
    "AM9midO6AgS5BADuZsHoCOL5ZonYuQQA7mbB6Aji+cMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA6mD/APAAAAAAAAAA",
    "AAAAAA==",
  ].join(""),
  "base64",
);
