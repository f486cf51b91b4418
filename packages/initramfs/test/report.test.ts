import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { type ChannelFrame, summarizeReport } from "../src/index.ts";

function file(name: string, content: string, milliseconds: number): ChannelFrame {
  return { seq: 0, type: "file", name, monotonicNs: milliseconds * 1e6, bytes: Buffer.from(content) };
}

test("computes rates over the window that was really measured", () => {
  const interrupts = (timer: number, disk: number): string =>
    `           CPU0       CPU1\n  1:  ${disk}  0  IO-APIC  9-fasteoi  disk\nLOC:  ${timer}  ${timer}  Local timer interrupts\nERR:  0\n`;
  const report = summarizeReport([
    file("processes", "1 0 0 S init\n2 0 1 S kthreadd\n9 1 0 R my (odd) name\n10 1 0 Z gone\n", 0),
    file("/proc/meminfo", "MemTotal:       1000 kB\nMemAvailable:    600 kB\n", 0),
    file("/proc/modules", "virtio_net 94208 0 - Live 0x0000\nfailover 12288 1 net_failover, Live 0x0\n", 0),
    file("stat.0", "cpu 1 2 3\nintr 100 1 2\nctxt 50\n", 1000),
    file("interrupts.0", interrupts(10, 5), 1000),
    file("stat.1", "cpu 1 2 3\nintr 150 1 2\nctxt 60\n", 3000),
    file("interrupts.1", interrupts(20, 35), 3000),
  ]);
  expect(report.processes).toEqual({ user: 1, kernel: 1, names: ["my (odd) name"] });
  expect(report.memory).toEqual({ totalKiB: 1000, usedKiB: 400 });
  expect(report.modules).toEqual(["virtio_net", "failover"]);
  expect(report.idle).toEqual({
    seconds: 2,
    interruptsPerSecond: 25,
    contextSwitchesPerSecond: 5,
    bySource: [
      { source: "1 IO-APIC 9-fasteoi disk", perSecond: 15 },
      { source: "LOC Local timer interrupts", perSecond: 10 },
    ],
  });
});

test("reads this machine's own files", () => {
  const stat = readFileSync("/proc/stat", "utf8");
  const total = Number(/^intr (\d+)/m.exec(stat)?.[1]);
  const report = summarizeReport([
    file("/proc/version", readFileSync("/proc/version", "utf8"), 0),
    file("/proc/meminfo", readFileSync("/proc/meminfo", "utf8"), 0),
    file("stat.0", stat.replace(/^intr \d+/m, "intr 0"), 0),
    file("interrupts.0", "", 0),
    file("stat.1", stat, 1000),
    file("interrupts.1", readFileSync("/proc/interrupts", "utf8"), 1000),
  ]);
  expect(report.release).toBe(readFileSync("/proc/sys/kernel/osrelease", "utf8").trim());
  expect(report.memory?.totalKiB).toBeGreaterThan(report.memory?.usedKiB ?? Infinity);
  expect(report.idle?.interruptsPerSecond).toBe(total);
  expect(report.idle?.bySource.length).toBeGreaterThan(0);
});
