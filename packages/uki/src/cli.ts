#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// What V8 makes of this program is kept: it starts in half the time.
enableCompileCache(join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "justenough/code"));
const { main } = await import("./main.ts");

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader, such as head(1), has seen enough.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
});
