import { join } from "node:path";
import { root } from "@justenough-dev/tools/workspace";
import { expect, test } from "vitest";
import { appliance } from "../lib/command.ts";

const spec = join(root, "e2e/specs/fingerprint");

/** What e2e/specs/fingerprint prints of itself, apart from its address. */
function fingerprint(text: string): readonly string[] {
  const lines = text.replaceAll("\r", "").split("\n");
  const at = lines.findIndex((line) => line.startsWith("bundle="));
  return lines.slice(at, at + 3);
}

test("a second computer boots over the network into the very bundle that boots directly", async () => {
  const direct = await appliance(["run", spec]);
  expect(direct.exitCode, direct.stderr).toBe(0);
  expect(fingerprint(direct.stdout)[0]).toMatch(/^bundle=[0-9a-f]{32}$/);
  expect(fingerprint(direct.stdout)[1]).toMatch(/^6\.12/);
  expect(fingerprint(direct.stdout)[2]).toMatch(/^[0-9a-f]{64} /);

  const lab = join(root, "packages/pxe/test/lab/run-in-lab.ts");
  const command = [process.execPath, lab, join(root, "e2e/lib/pxe-boot.ts"), spec];
  const netboot = await appliance([], { command });
  expect(netboot.exitCode, netboot.stderr + netboot.stdout).toBe(0);
  expect(fingerprint(netboot.stdout)).toEqual(fingerprint(direct.stdout));
  expect(netboot.stdout, "an address from our own server").toMatch(/^eth0 .*10\.77\.0\.\d+\/24/m);
  for (const kind of ["discover", "offer", "ack", "script", "kernel", "initrd"])
    expect(netboot.stdout).toContain(`"kind":"${kind}"`);
  expect(netboot.left).toEqual([]);
});
