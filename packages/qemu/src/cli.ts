#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// What V8 makes of this program is kept: it starts in half the time.
enableCompileCache(join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "justenough/code"));
const { main } = await import("./main.ts");

const controller = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => controller.abort(signal));
process.exitCode = await main(process.argv.slice(2), { ...process, signal: controller.signal });
// An interactive session leaves standard input open, which would keep the process.
process.stdin.destroy();
