/** In QEMU's option lists a comma separates; a doubled one is a comma. */
export function optionValue(value: string): string {
  return value.replaceAll(",", ",,");
}

/** A file for `-drive`, where "nbd:…" or "json:…" would be more than a name. */
export function fileOption(path: string): string {
  return optionValue(/^[^/]*:/.test(path) ? `./${path}` : path);
}
