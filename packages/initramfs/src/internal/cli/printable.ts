const CONTROL = /\p{Cc}/u;

/** Names come from strangers: nothing in them may steer the terminal. */
export function printable(name: string): string {
  if (!CONTROL.test(name)) return name;
  return name.replace(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** With a unit, three digits of it. */
export function readableSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}
