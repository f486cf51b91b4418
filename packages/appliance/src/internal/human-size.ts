/** Bytes for people. */
export function humanSize(bytes: number): string {
  if (bytes < 10_000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
