#!/usr/bin/env node
import { main } from "./main.ts";

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
