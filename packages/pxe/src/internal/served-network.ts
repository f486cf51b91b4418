import { formatIpv4, parseIpv4 } from "../address.ts";
import { PxeError } from "../errors.ts";
import { findInterface, type Interface } from "../interfaces.ts";
import type { ServePxeOptions } from "../serve-options.ts";

/** The network to serve: an interface of this machine, or a cable, where our address is a matter of choice. */
export async function servedNetwork(options: ServePxeOptions): Promise<Interface> {
  const { link, interface: name } = options;
  if ((link === undefined) === (name === undefined)) {
    throw new PxeError("PXE_USAGE", 'Either "interface" or "link" must be given, and not both', {
      hint: "name the network interface to serve, or give a cable that listenFrames() made",
    });
  }
  if (name !== undefined) return await findInterface(name, options.address);
  const [address = "", prefix = "24"] = (options.address ?? "10.77.0.1/24").split("/", 2);
  const bits = Number(prefix);
  if (!/^\d+$/.test(prefix) || bits < 8 || bits > 30) {
    throw new PxeError(
      "PXE_ADDRESS_INVALID",
      `Cannot read "/${prefix}" as the length of a network's prefix`,
      {
        hint: "write a number from 8 to 30, as in 10.77.0.1/24",
      },
    );
  }
  parseIpv4(address);
  return { name: "link", mac: "", address, netmask: formatIpv4((~0 << (32 - bits)) >>> 0), link: true };
}
