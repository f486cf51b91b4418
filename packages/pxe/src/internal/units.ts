/** A number of bytes for people. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** What a stranger sent is shown without its control characters. */
export function tame(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
