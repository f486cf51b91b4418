import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { bootRecord, readRecord, writeRecord } from "./boot-record.ts";
import { CLOCK_CODE } from "./clock-rom.ts";
import { detectGuard, spawnGuarded } from "./guard.ts";
import type { QemuBinary } from "./qemu-binary.ts";
import { romImage } from "./rom-image.ts";
import { createRunDirectory } from "./run-directory.ts";

/** How far the answer may be from the truth at most; a kernel that counts against the PIT is content with 500 ppm. */
const MAX_ERROR = 200e-6;
/** On a host too busy to tell within this time the kernel is left to find out by itself. */
const LIMIT_MS = 5000;
const SERIAL_FD = 3;
const COUNTER_FD = 4;
const COUNTER_BYTES = 8;

/** A reading of the counter, and the milliseconds between which it was taken. */
interface Reading {
  readonly counter: bigint;
  readonly asked: number;
  readonly answered: number;
}

const measuring = new Map<string, Promise<number | undefined>>();

/**
 * The frequency, in kHz, of the time-stamp counter that an emulated PC sees; undefined when it can't be told. A kernel counts
 * it against the PIT while it boots, fails when the host is busy at that moment, and then has no clock that lets it
 * sleep: its timer ticks all the time. Found out once per boot of the host, by a guest of 160 bytes that reads the counter
 * when it is asked (linux arch/x86/kernel/tsc.c, `tsc_early_khz`).
 */
export async function tscFrequency(
  qemu: QemuBinary,
  cacheDir: string | undefined,
): Promise<number | undefined> {
  const file = await bootRecord(cacheDir, "tsc", [qemu.path, qemu.mtimeMs]);
  if (file === undefined) return measureTsc(qemu.path);
  const known = await readRecord<{ khz: number }>(file, ({ khz }) => Number.isInteger(khz));
  if (known !== undefined) return known.khz;
  const running = measuring.get(file) ?? measureTsc(qemu.path);
  measuring.set(file, running);
  try {
    const khz = await running;
    if (khz !== undefined) await writeRecord(file, { khz });
    return khz;
  } finally {
    measuring.delete(file);
  }
}

/** The same, found out now. */
export async function measureTsc(qemu: string): Promise<number | undefined> {
  const directory = await createRunDirectory();
  try {
    const rom = join(directory.path, "clock.rom");
    await writeFile(rom, romImage(CLOCK_CODE));
    const guard = await detectGuard();
    const child = spawnGuarded(guard, [qemu, ...clockArguments(rom)], 2);
    for (const stream of [child.stdout, child.stderr]) stream.resume();
    const timer = setTimeout(() => child.kill(), LIMIT_MS);
    try {
      return await compare(child.channel(SERIAL_FD), child.channel(COUNTER_FD));
    } finally {
      clearTimeout(timer);
      child.kill();
      await child.closed;
    }
  } finally {
    await directory.remove();
  }
}

/** Reads until the uncertainty of two readings is small beside the time between them; undefined when QEMU ends before. */
async function compare(serial: Duplex, counter: Duplex): Promise<number | undefined> {
  const readings = answers(counter);
  // What was sent before the guest's first instruction may be lost in the reset: it tells when it listens.
  await readings.next();
  let first: Reading | undefined;
  for (;;) {
    const asked = performance.now();
    serial.write("?");
    const { value, done } = await readings.next();
    if (done === true) return undefined;
    const now: Reading = { counter: value.counter, asked, answered: value.at };
    first = first === undefined || (elapsed(first, now) < 20 && width(now) < width(first)) ? now : first;
    const between = elapsed(first, now);
    if ((width(first) + width(now)) / 2 <= between * MAX_ERROR)
      return Math.round(Number(now.counter - first.counter) / between);
  }
}

const width = ({ asked, answered }: Reading): number => answered - asked;
const elapsed = (from: Reading, to: Reading): number =>
  (to.asked + to.answered - from.asked - from.answered) / 2;

async function* answers(stream: Duplex): AsyncGenerator<{ counter: bigint; at: number }, undefined> {
  let kept = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    kept = Buffer.concat([kept, chunk]);
    if (kept.length < COUNTER_BYTES) continue;
    yield { counter: kept.readBigUInt64LE(), at: performance.now() };
    kept = kept.subarray(COUNTER_BYTES);
  }
  return undefined;
}

function clockArguments(rom: string): string[] {
  return [
    // Without a local APIC, whose pin for the 8259A is masked until somebody programs it.
    ["-nodefaults", "-no-user-config", "-display", "none", "-m", "16M"],
    ["-machine", "q35", "-accel", "tcg", "-cpu", "qemu64,apic=off", "-bios", rom],
    ["-chardev", `socket,id=serial,fd=${SERIAL_FD}`, "-serial", "chardev:serial"],
    ["-chardev", `socket,id=counter,fd=${COUNTER_FD}`],
    ["-device", "isa-debugcon,iobase=0x402,chardev=counter"],
  ].flat();
}
