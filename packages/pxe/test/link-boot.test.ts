/** A machine boots from `pxe-serve --socket`: neither of the two has a privilege. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PxeEvent } from "../src/index.ts";
import { makeGuest, type Guest } from "./lab/guest.ts";
import { runMachine } from "./lab/link-machine.ts";

let guest: Guest;
beforeAll(async () => {
  guest = await makeGuest();
}, 120_000);
afterAll(() => rm(guest.directory, { recursive: true, force: true }));

/** As root, without anything that root may do. */
const UNPRIVILEGED =
  process.getuid?.() === 0
    ? "setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs".split(" ")
    : [];

test(
  "BIOS, iPXE, kernel and initramfs by HTTP: the guest has the very bytes, and nothing was waited for",
  { timeout: 100_000 },
  async () => {
    const socket = join(guest.directory, "lab.sock");
    const cmdline = 'console=ttyS0 panic=-1 quiet a="x  y"';
    const [program = "", ...args] = [
      ...UNPRIVILEGED,
      process.execPath,
      fileURLToPath(new URL("../src/cli.ts", import.meta.url)),
      ...["--socket", socket, "--json", "--kernel", guest.kernel, "--append", cmdline],
      ...guest.initrd.flatMap((file) => ["--initrd", file]),
    ];
    const server = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    const events: PxeEvent[] = [];
    const lines = createInterface({ input: server.stdout });
    lines.on("line", (line) => events.push(JSON.parse(line) as PxeEvent));
    await once(lines, "line");
    const run = await runMachine({
      socket,
      firmware: "bios",
      directory: guest.directory,
      command: UNPRIVILEGED,
    });
    server.kill("SIGINT");
    expect(await once(server, "close")).toEqual([130, null]);
    expect(existsSync(socket)).toBe(false);

    console.log(`power-on to /init over a socket: ${run.seconds?.toFixed(2)} s`);
    expect(run.console).toContain(`LAB payload ${guest.payload}  /payload/random`);
    expect(run.console).toContain(`LAB cmdline [initrd=initrd0 initrd=initrd1 ${cmdline}]`);
    const mac = "52:54:00:12:34:56";
    expect(events.map(({ kind }) => kind).filter((kind) => kind !== "http")).toEqual(
      "listening discover offer ack script kernel initrd initrd".split(" "),
    );
    for (const event of events.slice(1)) expect(event).toMatchObject({ mac });
  },
);
