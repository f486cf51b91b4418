/** In the lab: what runs beside a server that is killed, or stopped. Prints one JSON line: the helpers after each. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const helpers = (): number =>
  execFileSync("ps", ["-eo", "args"])
    .toString()
    .split("\n")
    .filter((line) => line.startsWith("dnsmasq ") && line.includes("--interface=br0")).length;

const found: number[] = [];
const said: string[] = [];
for (const signal of ["SIGKILL", "SIGINT"] as const) {
  const args = ["--interface", "br0", "--mode", "http-only", "--ra", "--kernel", "/etc/hostname", "--json"];
  const server = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(server, "close");
  for await (const line of createInterface(server.stdout)) {
    said.push((JSON.parse(line) as { kind: string }).kind);
    if (said.at(-1) === "listening") break;
  }
  found.push(helpers());
  server.kill(signal);
  await ended;
  // The system closes what a killed program had open; its helper needs a moment to see it.
  for (let tries = 0; tries < 100 && helpers() > 0; tries++) await delay(50);
  found.push(helpers());
}
console.log(JSON.stringify({ found, said }));
