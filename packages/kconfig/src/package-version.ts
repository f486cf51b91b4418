import { readFileSync } from "node:fs";

/** As in package.json, which is as far from here as from what is built of this. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
