/**
 * In the lab: a network card of this kernel at one end, a station of ours at the other. Between them is QEMU
 * without a machine: its tap and its stream of frames on one hub.
 */
import { execFile, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { FrameListener } from "../../src/index.ts";

export const run = promisify(execFile);

/** Make the card `cable0`, plugged into `link`; resolves with what pulls the cable. */
export async function plugCard(link: FrameListener): Promise<() => void> {
  await run("ip", ["tuntap", "add", "dev", "cable0", "mode", "tap"]);
  await run("ip", ["link", "set", "cable0", "up"]);
  const qemu = spawn(
    "qemu-system-x86_64",
    [
      ..."-machine none -nodefaults -display none".split(" "),
      ..."-netdev tap,id=t0,ifname=cable0,script=no,downscript=no,vnet_hdr=off".split(" "),
      "-netdev",
      `stream,id=s0,server=off,addr.type=unix,addr.path=${link.path}`,
      ..."-netdev hubport,id=h0,hubid=0,netdev=t0 -netdev hubport,id=h1,hubid=0,netdev=s0".split(" "),
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  while (!(await carrier())) await delay(20);
  return () => qemu.kill();
}

async function carrier(): Promise<boolean> {
  const { stdout } = await run("ip", ["-brief", "link", "show", "cable0"]);
  return stdout.includes("LOWER_UP");
}
