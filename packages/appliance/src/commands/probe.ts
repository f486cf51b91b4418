import { machineDevices } from "@justenough/kernel";
import type { CliContext } from "../context.ts";
import { printJson } from "./common.ts";
import type { CommonFlags } from "./flags.ts";

// What machineDevices() finds, with nothing but what a rescue system has too. A modalias file ends without a newline now and
// then; sh gets each link to a driver, looks at its module, and at what holds that and drives nothing itself.
const COMMAND = [
  "{ find /sys/devices -name modalias -exec sh -c 'cat \"$1\"; echo' _ {} \\; ;",
  'find /sys/devices -name driver -exec sh -c \'m=$1/module; [ -e "$m" ] || exit 0;',
  'basename "$(readlink -f "$m")"; for h in "$m"/holders/*;',
  'do [ -e "$h/drivers" ] || [ ! -e "$h" ] || basename "$h"; done\' _ {} \\; ; } | sort -u | grep .',
].join(" ");

export async function probe(
  this: CliContext,
  flags: CommonFlags & { readonly here: boolean },
): Promise<void> {
  if (!flags.here) {
    if (flags.json) printJson(this, { command: COMMAND });
    else this.process.stdout.write(`${COMMAND}\n`);
    return;
  }
  const devices = await machineDevices();
  if (flags.json) printJson(this, devices);
  else this.process.stdout.write(devices.map((line) => `${line}\n`).join(""));
}
