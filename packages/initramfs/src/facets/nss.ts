import { join } from "../internal/paths.ts";
import { readText } from "../internal/view.ts";
import type { Facet } from "./facet.ts";
import { existing } from "../internal/walk.ts";

// What glibc does without a file (nss/nss_database.c of 2.34 and later).
const DEFAULT = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n";

/**
 * Names of users, groups, hosts and services: nsswitch.conf with the modules that it names, as far as they are
 * there, and small tables of their own for an image that has none: users and hosts of this machine are not the
 * image's.
 */
export const nss: Facet = ({ view, libraryDirectories }) => {
  const text = readText(view, "/etc/nsswitch.conf") ?? DEFAULT;
  const services = text
    .replaceAll(/#.*|\[[^\]]*\]/g, "")
    .split("\n")
    .flatMap((line) => line.slice(line.indexOf(":") + 1).split(/\s+/))
    .filter(Boolean);
  const modules = [...new Set(services)].flatMap((service) =>
    libraryDirectories.map((directory) => join(directory, `libnss_${service}.so.2`)),
  );
  return {
    files: existing(view, ["/etc/nsswitch.conf", "/etc/services", "/etc/protocols"]),
    objects: existing(view, modules),
    texts: {
      "/etc/nsswitch.conf": DEFAULT,
      // No password fits a star; an x would send PAM to a shadow file.
      "/etc/passwd": "root:*:0:0:root:/root:/bin/sh\nnobody:*:65534:65534:nobody:/:/bin/false\n",
      "/etc/group": "root:*:0:\nnogroup:*:65534:\n",
      "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
    },
  };
};
