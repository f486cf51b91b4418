import { type FileView, readText } from "./view.ts";

/** The values of a key in what the generated /init is to do. */
export function initRecords(view: FileView, key: string): string[] {
  const all = readText(view, "/etc/appliance/init")?.split("\0") ?? [];
  return all.filter((record) => record.startsWith(`${key}=`)).map((record) => record.slice(key.length + 1));
}
