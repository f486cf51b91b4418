import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CliContext } from "../context.ts";
import { ApplianceError } from "../error.ts";
import { loadSpec } from "../spec/load.ts";
import { buildFor, overridesOf } from "./common.ts";
import type { BuildingFlags, CommonFlags, ServingFlags, SpecFlags } from "./flags.ts";

export async function serve(
  this: CliContext,
  flags: CommonFlags & SpecFlags & BuildingFlags & ServingFlags,
  where: string,
): Promise<void> {
  const { spec } = await loadSpec(where, overridesOf(flags));
  if (spec.arch !== "x86_64") {
    throw new ApplianceError(
      "APPLIANCE_SPEC_INVALID",
      `Cannot serve "${spec.name}": only PCs are booted from the network, and this is for ${spec.arch}`,
      { hint: "Run it here: appliance run" },
    );
  }
  const { bundle, loaded } = await buildFor(this, where, flags);
  const [{ servePxe, formatEvent, defaultLeaseFile }, { jobSegment }] = await Promise.all([
    import("@justenough/pxe"),
    import("@justenough/initramfs"),
  ]);
  const began = Date.now();
  const directory = await mkdtemp(join(tmpdir(), "appliance-serve-"));
  try {
    // The id of what was served travels along, so that the booted system can say what it is.
    const segment = join(directory, "bundle.cpio");
    await writeFile(segment, jobSegment({ bundle: bundle.id }));
    await using server = await servePxe({
      bundle: {
        kernel: bundle.kernel,
        initrd: loaded.spec.init === null ? [bundle.initramfs, segment] : [bundle.initramfs],
        cmdline: bundle.cmdline,
        manifest: join(bundle.directory, "manifest.json"),
        title: loaded.spec.name,
      },
      interface: flags.interface,
      address: flags.address,
      mode: flags.mode ?? "authoritative",
      leaseFile: defaultLeaseFile(flags.interface),
      signal: this.signal,
      onEvent: (event) => {
        this.process.stdout.write(`${flags.json ? JSON.stringify(event) : formatEvent(event, began)}\n`);
      },
    });
    await server.closed;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  if (!this.signal.aborted) throw new ApplianceError("APPLIANCE_BOOT_FAILED", "The server ended by itself");
}
