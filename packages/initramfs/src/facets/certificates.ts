import { InitramfsError } from "../error.ts";
import { resolve, resolveFile } from "../internal/view.ts";
import type { Facet } from "./facet.ts";

/** Where distributions keep all certificates in one file, and where programs look for it. */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine, Arch
  "/etc/pki/tls/certs/ca-bundle.crt", // Fedora
  "/etc/ssl/ca-bundle.pem", // openSUSE
  "/etc/ssl/cert.pem",
];
/** OpenSSL's own directories, in which it looks for cert.pem without a configuration. */
const OPENSSL = ["/usr/lib/ssl", "/etc/pki/tls", "/etc/ssl"];

/** The authorities by which TLS programs know a server: one file with all, found by OpenSSL, GnuTLS, Go and curl. */
export const certificates: Facet = ({ view }) => {
  const bundle = BUNDLES.find((path) => resolveFile(view, path) !== undefined);
  if (bundle === undefined) {
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `There are no certificates at ${BUNDLES.join(", ")}`, {
      hint: "Install ca-certificates",
    });
  }
  const homes = OPENSSL.filter((directory) => resolve(view, directory)?.node.kind === "directory");
  const links = homes.map((directory) => [`${directory}/cert.pem`, bundle] as const);
  return { files: [bundle], links: Object.fromEntries(links.filter(([at]) => at !== bundle)) };
};
