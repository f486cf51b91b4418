#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// What V8 makes of this program is kept: it starts in half the time.
enableCompileCache(join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "justenough/code"));
const { main } = await import("./main.ts");

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  // The reader, such as head(1), has seen enough: a server closes what it has open first.
  if (!process.emit("SIGTERM", "SIGTERM")) process.exit(0);
});
process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  onSignal: (name, listener) => process.on(name, listener),
});
