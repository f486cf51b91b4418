/**
 * Boots machines over a cable and keeps what was said first as fixtures: `> hex` from the machine, `< hex` from
 * us without long data, up to the head of the first answer by HTTP.
 *
 *   node test/lab/link-captures.ts
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenFrames, servePxe, type FrameLink } from "../../src/index.ts";
import { makeGuest } from "./guest.ts";
import { runMachine } from "./link-machine.ts";

const guest = await makeGuest();
for (const firmware of ["bios", "uefi"] as const) {
  const directory = await mkdtemp(join(tmpdir(), "pxe-capture-"));
  const listener = await listenFrames(join(directory, "lab.sock"));
  const lines: string[] = [];
  let done = false;
  const note = (mark: string, frame: Uint8Array): void => {
    const hex = Buffer.from(frame).toString("hex");
    // Blocks of TFTP come by the hundred, and say nothing here.
    if (done || frame.length > 600 || (frame[23] === 17 && lines.length > 60)) return;
    lines.push(`${mark} ${hex}`);
    done = Buffer.from(frame).includes("HTTP/1.1 200 OK");
  };
  async function* read(): AsyncGenerator<Uint8Array> {
    for await (const frame of listener.frames) {
      note(">", frame);
      yield frame;
    }
  }
  const link: FrameLink = {
    frames: read(),
    send(frame) {
      note("<", frame);
      listener.send(frame);
    },
  };
  const bundle = { ...guest, cmdline: "console=ttyS0 panic=-1 quiet" };
  const server = await servePxe({ bundle, link, mode: "authoritative" });
  await runMachine({ socket: listener.path, firmware, directory });
  await server.close();
  await listener.close();
  await rm(directory, { recursive: true });
  const text = [`# ${firmware}: QEMU's virtio-net, iPXE and firmware of Debian 12`, ...lines, ""].join("\n");
  await writeFile(new URL(`../fixtures/link/${firmware}.hex`, import.meta.url), text);
}
await rm(guest.directory, { recursive: true });
