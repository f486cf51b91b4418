import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The package's directory; this file and its bundled form in dist/ both lie one level below. */
export const packageRoot: string = fileURLToPath(new URL("../", import.meta.url));

export const packageVersion: string = (
  JSON.parse(readFileSync(`${packageRoot}package.json`, "utf8")) as { version: string }
).version;

/** The command's own file, to start it again: beside this one, whether in src/ or in dist/. */
export const cliFile: string = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "cli.ts" : "cli.js", import.meta.url),
);
