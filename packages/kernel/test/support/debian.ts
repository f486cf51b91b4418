/** Debian's source that all tests share, in the default cache: unpacked once for a machine. */
export const DEBIAN = { kind: "debian", series: "6.12" } as const;
