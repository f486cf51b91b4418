#!/usr/bin/env node
import { main } from "./main.ts";

const controller = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => controller.abort(signal));
process.exitCode = await main(process.argv.slice(2), { ...process, signal: controller.signal });
// An interactive session leaves standard input open, which would keep the process.
process.stdin.destroy();
