import { PxeError } from "./errors.ts";

const DOT = 46;

function refuseIpv4(text: string): never {
  throw new PxeError("PXE_ADDRESS_INVALID", `Cannot read ${JSON.stringify(text)} as an IPv4 address`, {
    hint: "write four numbers from 0 to 255, as in 10.77.0.1",
  });
}

/** Turn dotted decimal into the number that it stands for; anything else is an error `PXE_ADDRESS_INVALID`. */
export function parseIpv4(text: string): number {
  let value = 0;
  let parts = 0;
  let digits = 0;
  let part = 0;
  // By hand, as every packet passes here several times. The end counts as one more dot.
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : DOT;
    if (code === DOT && digits > 0) {
      value = value * 256 + part;
      parts++;
      digits = 0;
      part = 0;
    } else if (code >= 48 && code <= 57 && digits < 3 && part * 10 + code - 48 <= 255) {
      part = part * 10 + code - 48;
      digits++;
    } else return refuseIpv4(text);
  }
  return parts === 4 ? value : refuseIpv4(text);
}

/** Write an unsigned 32-bit number in dotted decimal. */
export function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** A network that a server stands in: its own address there and the netmask, both in dotted decimal. */
export interface Subnet {
  readonly address: string;
  readonly netmask: string;
}

/** True when `address` lies in the same network. */
export function inSubnet(subnet: Subnet, address: string): boolean {
  const mask = parseIpv4(subnet.netmask);
  return (parseIpv4(address) & mask) === (parseIpv4(subnet.address) & mask);
}

/** The address that reaches every host of the network. */
export function broadcastOf(subnet: Subnet): string {
  const mask = parseIpv4(subnet.netmask);
  return formatIpv4(((parseIpv4(subnet.address) & mask) | (~mask >>> 0)) >>> 0);
}

/** True when a machine of the network can have the address: its first is the network's name, its last is for all. */
export function isHostOf(subnet: Subnet, address: string): boolean {
  if (!inSubnet(subnet, address)) return false;
  const own = parseIpv4(address) & ~parseIpv4(subnet.netmask);
  return own !== 0 && own !== ~parseIpv4(subnet.netmask);
}

/** An inclusive range of addresses to lease. */
export interface Pool {
  readonly first: string;
  readonly last: string;
}

/** Read `10.77.0.50-10.77.0.99` (or a single address) and check it against the network it must lie in. */
export function parsePool(text: string, subnet: Subnet): Pool {
  const [first = "", last = first] = text.split("-").map((part) => part.trim());
  const low = parseIpv4(first);
  const high = parseIpv4(last);
  if (low > high || !isHostOf(subnet, first) || !isHostOf(subnet, last)) {
    const network = `the network of ${subnet.address} (netmask ${subnet.netmask})`;
    throw new PxeError("PXE_POOL_INVALID", `Cannot lease ${JSON.stringify(text)}`, {
      hint: `name a rising range inside ${network}, without its first address and the last, which is for broadcasts`,
    });
  }
  if (high - low >= 65_536) {
    throw new PxeError("PXE_POOL_INVALID", `The range ${JSON.stringify(text)} has more than 65536 addresses`);
  }
  return { first: formatIpv4(low), last: formatIpv4(high) };
}

/** At most 100 addresses at the upper end of the network; the lower end is where people put things by hand. */
export function defaultPool(subnet: Subnet): Pool {
  const mask = parseIpv4(subnet.netmask);
  const network = (parseIpv4(subnet.address) & mask) >>> 0;
  const highest = parseIpv4(broadcastOf(subnet)) - 1;
  if (highest <= network + 1) {
    throw new PxeError(
      "PXE_POOL_INVALID",
      `The network of ${subnet.address} (netmask ${subnet.netmask}) has no room for a client`,
      { hint: "give the interface an address with a shorter prefix, such as /24" },
    );
  }
  const lowest = Math.max(network + 1, highest - 99);
  return { first: formatIpv4(lowest), last: formatIpv4(highest) };
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Write a hardware address as lower-case hex pairs with colons. */
export function formatMac(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += `${text === "" ? "" : ":"}${HEX[byte] ?? ""}`;
  return text;
}

/** Bring a hardware address that a person typed (`-`, `:` or no separator, any case) into our one form. */
export function parseMac(text: string): string {
  const hex = text.replaceAll(/[:.-]/g, "").toLowerCase();
  if (!/^[0-9a-f]{12}$/.test(hex)) {
    throw new PxeError("PXE_ADDRESS_INVALID", `Cannot read ${JSON.stringify(text)} as a hardware address`, {
      hint: "write six pairs of hex digits, as in 52:54:00:12:34:56",
    });
  }
  return (hex.match(/../g) ?? []).join(":");
}
