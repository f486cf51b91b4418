/** The server that bench/dhcp.ts measures: leases on 10.98.0.1/16, kept in the file that is its argument. */
import { servePxe } from "../src/index.ts";

const [leaseFile = ""] = process.argv.slice(2);
await servePxe({
  bundle: { kernel: "/etc/hostname", initrd: [], cmdline: "" },
  interface: "br0",
  address: "10.98.0.1",
  mode: "authoritative",
  pool: "10.98.1.0-10.98.255.254",
  leaseFile,
  force: true,
  ports: { http: 0, tftp: 6969 },
});
process.stdout.write("ready\n");
process.on("SIGTERM", () => process.exit()); // so that a profile is written
