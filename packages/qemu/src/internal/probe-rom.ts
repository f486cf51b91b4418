/** The top 512 bytes of the ROM: assets/probe.S as assembled by GNU as. A test assembles it anew and compares. */
export const PROBE_CODE: Uint8Array = Buffer.from(
  [
    "+vy6AgSwUu4uZg8BFoj/DyDAZoPIAQ8iwGbqIf4PAAgAZrgYAI7YjsCO0LwAgAAAZroCBLBQ7jHAvwAQAAC5ABwAAPOrxwUA",
    "EAAAAyAAAMcFACAAAAMwAADHBQAwAACDAAAADyDgDSAGAAAPIuC4ABAAAA8i2LmAAADADzINAAEAAA8wDyDAg+D7DQIAAIAP",
    "IsDqmf4PABAAZroCBLBM7jHAD6K4AQAAADHJD6KJzWa6AgSwQ+7b40gPrgQlAFAAAEgPrgwlAFAAAA+65RpzKg8g4EgNAAAE",
    "AA8i4LgDAAAAMdIxyQ8B0UgPriQlAFAAAEgPriwlAFAAAGa6AgSwRu64Yf8PAGaJBCUwQAAAZscEJTJAAAAQAGbHBCU0QAAA",
    "AI7B6BBmiQQlNkAAAA8BHCWO/w8AMdvMgfsNYAAAdR5mugIEsEnuuQAtMQH/yXX8ZroCBLBU7ma6AQWwEO706/27DWAAAEjP",
    "AAAAAAAAAAD//wAAAJvPAP//AAAAm68A//8AAACTzwAfAGj/DwA/AABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAOoA/gDwAAAA",
    "AAAAAAAAAAA=",
  ].join(""),
  "base64",
);

/** Letters that the code writes, in order, one per thing that worked. */
export const PROBE_STAGES = "RPLCFIT";
/** What isa-debug-exit makes of the value written at the end. */
export const PROBE_EXIT_CODE = 33;

const ROM_SIZE = 64 * 1024;

/** The image for `-bios`: the code ends at the reset vector, 16 bytes below the end. */
export function probeRom(): Uint8Array {
  const rom = new Uint8Array(ROM_SIZE);
  rom.set(PROBE_CODE, ROM_SIZE - PROBE_CODE.length);
  return rom;
}
