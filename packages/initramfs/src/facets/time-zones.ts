import { InitramfsError } from "../error.ts";
import { resolveFile } from "../internal/view.ts";
import type { Facet } from "./facet.ts";
import { filesBelow } from "../internal/walk.ts";

const ROOT = "/usr/share/zoneinfo";

/** Time zones by name, the first one for /etc/localtime; without any, all, for programs that are given TZ. */
export const timeZones: Facet = ({ view, values }) => {
  if (values.length === 0) {
    // The same zones again, with leap seconds and without.
    const doubled = new Set([`${ROOT}/right`, `${ROOT}/posix`]);
    const files = [...filesBelow(view, ROOT, (path) => !doubled.has(path))].filter(
      // May lead to this machine's own zone.
      (path) => path !== `${ROOT}/localtime`,
    );
    if (files.length === 0) throw missing(ROOT);
    return { files };
  }
  const files = values.map((name) => `${ROOT}/${name}`);
  for (const path of files) if (resolveFile(view, path) === undefined) throw missing(path);
  return { files, links: { "/etc/localtime": files[0] as string } };
};

function missing(path: string): InitramfsError {
  return new InitramfsError("INITRAMFS_NOT_FOUND", `There is no time zone "${path}"`, {
    hint: "Install tzdata; zones are named such as Europe/Berlin",
  });
}
