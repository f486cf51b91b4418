/**
 * Boot a QEMU machine over a Unix socket and measure what it waited for. No lab and no root needed.
 * Argument: a LinkBootRequest as JSON. Prints one JSON line: a LinkBootReport.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenFrames, servePxe, type FrameLink, type PxeEvent } from "../../src/index.ts";
import type { Guest } from "./guest.ts";
import { runMachine, type MachineRun } from "./link-machine.ts";
import { measureWaits, type Waits } from "./link-waits.ts";
import { withoutHttp } from "./without-http.ts";

export interface LinkBootRequest {
  readonly guest: Guest;
  readonly cmdline: string;
  readonly firmware: "bios" | "uefi";
  /** For iPXE; UEFI firmware itself always starts with TFTP here. */
  readonly transport: "http" | "tftp";
}

export interface LinkBootReport extends MachineRun {
  readonly events: readonly PxeEvent[];
  readonly waits: Waits;
}

export async function bootOverLink(request: LinkBootRequest): Promise<LinkBootReport> {
  const directory = await mkdtemp(join(tmpdir(), "pxe-link-"));
  try {
    await using listener = await listenFrames(join(directory, "lab.sock"));
    const measured = measureWaits(listener);
    const link: FrameLink = request.transport === "tftp" ? withoutHttp(measured.link) : measured.link;
    const events: PxeEvent[] = [];
    await using server = await servePxe({
      bundle: { ...request.guest, cmdline: request.cmdline },
      link,
      mode: "authoritative",
      onEvent: (event) => events.push(event),
    });
    void server;
    const run = await runMachine({ socket: listener.path, firmware: request.firmware, directory });
    return { ...run, events, waits: measured.waits() };
  } finally {
    await rm(directory, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const report = await bootOverLink(JSON.parse(process.argv[2] ?? "{}") as LinkBootRequest);
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
