import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { servePxe, type PxeEvent, type ServePxeOptions } from "@justenough/pxe";
import { launch, type LaunchOptions, type MachineSpec, type NicSpec } from "@justenough/qemu";
import { createSwitch } from "@justenough/qemu/net";
import type { Cell } from "./cells.ts";
import { disguised } from "./disguise.ts";
import type { MatrixGuest } from "./guest.ts";
import { readCell, type CellReport } from "./report.ts";
import { bundlePath, serverMachine } from "./server-guest.ts";

const MAC = "52:54:00:12:34:56";
/** Far more than any cell takes. */
const LIMIT_MS = 120_000;

/** Where a machine is plugged in. */
export interface Plug {
  readonly nic: NicSpec;
  readonly networks?: LaunchOptions["networks"];
}

/** Kernel arguments with words of which loaders could make something of their own. */
export function cellArguments(cell: Cell): string {
  const console = cell.machine.arch === "arm64" ? "ttyAMA0" : "ttyS0";
  return `console=${console} quiet je.dollar=$HOME je.signs=;#&| je.words="a  b" je.braces={} -- || ; && # end`;
}

/** The policy of a cell, with a parameter for its machine. JSON is YAML. */
function policyOf(cell: Cell, files: Pick<MatrixGuest, "kernel" | "initrd">): string {
  const boot = { ...files, cmdline: cellArguments(cell), title: cell.name };
  return JSON.stringify({
    machines: [{ mac: MAC, params: { cell: cell.name } }],
    rules: [{ mac: MAC, boot }],
  });
}

/** Boots one machine on a virtual switch in this process; `capture` is the pcap file that its frames go to. */
export async function runOnWire(cell: Cell, guest: MatrixGuest, capture?: string): Promise<CellReport> {
  const lan = createSwitch({ seed: 1 });
  if (capture !== undefined) lan.record(capture);
  try {
    const port = lan.join("server");
    const link = cell.disguise ? disguised(port, cell.disguise) : port;
    const nic = { kind: "switch", network: "lan", mac: MAC } as const;
    return await runServed(cell, guest, { serve: { link }, plug: { nic, networks: { lan } } });
  } finally {
    lan.close();
  }
}

/** Serves the guest from this process. */
export async function runServed(
  cell: Cell,
  guest: MatrixGuest,
  place: { readonly serve: Pick<ServePxeOptions, "interface" | "link">; readonly plug: Plug },
): Promise<CellReport> {
  const policy = join(guest.directory, "policy.json");
  await writeFile(policy, policyOf(cell, { kernel: guest.kernel, initrd: guest.initrd }));
  const events: PxeEvent[] = [];
  const onEvent = (event: PxeEvent): void => void events.push(event);
  const loaders = { ...cell.serve.loaders, stubs: guest.stubs };
  await using _ = await servePxe({ policy, ...cell.serve, loaders, ...place.serve, onEvent });
  return await bootCell({ cell, guest, plug: place.plug, events });
}

/** One guest boots the other: the server runs in a machine of its own, on the same switch. */
export async function runTwoGuests(cell: Cell, guest: MatrixGuest): Promise<CellReport> {
  const lan = createSwitch({ seed: 1 });
  try {
    const card = (mac: string): Plug => ({ nic: { kind: "switch", network: "lan", mac }, networks: { lan } });
    const files = { kernel: bundlePath(guest.kernel), initrd: guest.initrd.map(bundlePath) };
    const events: PxeEvent[] = [];
    await using server = await start(
      await serverMachine(guest, policyOf(cell, files)),
      card("52:54:00:00:00:01"),
    );
    const listening = server.console.expect(/"kind":"listening"/, { timeout: LIMIT_MS });
    const reading = (async () => {
      for await (const { text } of server.console.lines()) {
        // Its clock is another one: what counts is when it was told.
        if (text.startsWith("{")) events.push({ ...(JSON.parse(text) as PxeEvent), at: Date.now() });
      }
    })();
    await listening;
    const report = await bootCell({ cell, guest, plug: card(MAC), events });
    await server.kill();
    await reading;
    return report.problems.length === 0
      ? report
      : { ...report, log: `${report.log}\n${server.console.text()}` };
  } finally {
    lan.close();
  }
}

const start = (machine: MachineSpec, plug: Plug): ReturnType<typeof launch> =>
  launch({ ...machine, nics: [plug.nic] }, { networks: plug.networks, deadlines: { total: LIMIT_MS } });

/** Boots the machine, and compares what it found with what was served. */
async function bootCell(boot: {
  readonly cell: Cell;
  readonly guest: MatrixGuest;
  readonly plug: Plug;
  readonly events: readonly PxeEvent[];
}): Promise<CellReport> {
  const { cell, guest, plug, events } = boot;
  const began = Date.now();
  await using vm = await start(cell.machine, plug);
  let init: number | undefined;
  vm.console.expect(/CELL init/).then(
    () => (init = Date.now()),
    () => undefined,
  );
  const { kind } = await vm.wait();
  const text = vm.console.text();
  return readCell({ cell, guest, began, init, kind, text, events, cmdline: cellArguments(cell) });
}
