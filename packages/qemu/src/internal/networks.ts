import { firstNetworkFd } from "../argv.ts";
import { QemuError } from "../errors.ts";
import type { Machine } from "../machine.ts";
import type { VirtualSwitch } from "../switch.ts";
import type { GuardedChild } from "./guard.ts";

type Networks = Readonly<Record<string, VirtualSwitch>>;

/** The cards that are plugged into a switch, in the order of their file descriptors. */
export function networkCards(machine: Machine): { readonly mac: string; readonly network: string }[] {
  return machine.nics.flatMap(({ mac, backend }) =>
    backend.kind === "switch" ? [{ mac: mac.toLowerCase(), network: backend.network }] : [],
  );
}

export function checkNetworks(machine: Machine, networks: Networks = {}): void {
  for (const { network } of networkCards(machine)) networkOf(network, networks);
}

/** Before the machine runs, so that it misses nothing. Throws when two cards have one address. */
export function plugIn(child: GuardedChild, machine: Machine, networks: Networks = {}): void {
  for (const [index, { mac, network }] of networkCards(machine).entries())
    networkOf(network, networks).connect(child.channel(firstNetworkFd(machine) + index), mac);
}

function networkOf(name: string, networks: Networks): VirtualSwitch {
  const found = Object.hasOwn(networks, name) ? networks[name] : undefined;
  if (found !== undefined) return found;
  throw new QemuError(
    "QEMU_NETWORK_UNKNOWN",
    `The machine has a card in the network "${name}", which was not given`,
    {
      hint: `Give it: launch(spec, { networks: { "${name}": createSwitch() } })`,
    },
  );
}
