/** A server to be killed: leases on 10.99.0.1/16, kept in the file that is its argument. Says "ready". */
import { servePxe } from "../../src/index.ts";

const [leaseFile = ""] = process.argv.slice(2);
await servePxe({
  bundle: { kernel: "/etc/hostname", initrd: [], cmdline: "" },
  interface: "br0",
  address: "10.99.0.1",
  mode: "authoritative",
  pool: "10.99.1.0-10.99.255.254",
  leaseFile,
  force: true, // the clients ask through a relay: nobody else is there
  ports: { http: 0, tftp: 6969 },
  onEvent: (event) => {
    if (event.kind === "warning") process.stdout.write(`${JSON.stringify(event)}\n`);
  },
});
process.stdout.write("ready\n");
