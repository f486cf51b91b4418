import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import {
  type ChannelFrame,
  decodeChannel,
  jobSegment,
  type InitRecords,
  splitConsole,
} from "../../src/index.ts";

export interface Boot {
  readonly frames: readonly ChannelFrame[];
  /** The whole console. */
  readonly console: string;
  /** The program's bytes alone. */
  readonly program: Buffer;
  readonly exitCode: number | null;
}

/** The two lines to the guest, for a test that talks to it while it runs. */
export interface Lines {
  readonly console: Duplex;
  readonly channel: Duplex;
}

// A host that is busy: the guest's line stands still meanwhile.
async function* slowly(stream: Duplex): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (chunk.length > 10_000) await sleep(30);
    yield chunk;
  }
}

/** Answers what comes along a line, and passes it on. */
async function* answering(
  stream: AsyncIterable<Buffer>,
  line: Duplex,
  dialog: readonly (readonly [text: string, typed: string])[],
): AsyncGenerator<Buffer> {
  const open = [...dialog];
  let text = "";
  for await (const chunk of stream) {
    text += chunk.toString("latin1");
    for (let next = open[0]; next !== undefined && text.includes(next[0]); next = open[0]) {
      text = text.slice(text.indexOf(next[0]) + next[0].length);
      line.write(next[1]);
      open.shift();
    }
    yield chunk;
  }
}

let count = 0;

/** Boots an image with a job, and gives all that came out of it. QEMU never outlives the call. */
export async function boot(options: {
  readonly kernel: string;
  readonly image: string;
  readonly job: InitRecords;
  readonly directory: string;
  readonly append?: string;
  /** MiB, default 256. */
  readonly memory?: number;
  readonly onFrame?: (frame: ChannelFrame, lines: Lines) => void;
  /** What is typed on the console, each as soon as the text has come that it answers. */
  readonly dialog?: readonly (readonly [text: string, typed: string])[];
}): Promise<Boot> {
  const token = "c0ffee";
  const initrd = `${options.directory}/initrd-${++count}`;
  const image = readFileSync(options.image);
  const padding = Buffer.alloc((4 - (image.length % 4)) % 4);
  writeFileSync(initrd, Buffer.concat([image, padding, jobSegment({ token, ...options.job })]));
  const args = ["-M", "q35", "-cpu", "max", "-nodefaults", "-display", "none", "-no-reboot"];
  args.push("-m", String(options.memory ?? 256));
  args.push("-device", "VGA", "-device", "virtio-rng-pci");
  args.push("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net");
  args.push("-chardev", "socket,id=console,fd=3", "-serial", "chardev:console");
  args.push("-chardev", "socket,id=channel,fd=4", "-serial", "chardev:channel");
  args.push("-kernel", options.kernel, "-initrd", initrd);
  args.push("-append", `console=ttyS0 panic=-1 quiet ${options.append ?? ""}`);
  const qemu = spawn("qemu-system-x86_64", args, { stdio: ["ignore", "ignore", "inherit", "pipe", "pipe"] });
  const timer = setTimeout(() => qemu.kill("SIGKILL"), 60_000);
  try {
    const [, , , console, channel] = qemu.stdio as unknown as [null, null, null, Duplex, Duplex];
    const exit = new Promise<number | null>((resolve, reject) => {
      qemu.once("close", resolve);
      qemu.once("error", reject);
    });
    const frames: ChannelFrame[] = [];
    const heard = answering(slowly(console), console, options.dialog ?? []);
    const parts: { part: string; bytes: Uint8Array }[] = [];
    await Promise.all([
      (async () => {
        for await (const part of splitConsole(heard, token)) parts.push(part);
      })(),
      (async () => {
        for await (const frame of decodeChannel(channel)) {
          frames.push(frame);
          options.onFrame?.(frame, { console, channel });
        }
      })(),
    ]);
    const program = Buffer.concat(parts.filter(({ part }) => part === "program").map(({ bytes }) => bytes));
    const text = Buffer.concat(parts.map(({ bytes }) => bytes)).toString();
    return { frames, console: text, program, exitCode: await exit };
  } finally {
    clearTimeout(timer);
    qemu.kill("SIGKILL");
  }
}
