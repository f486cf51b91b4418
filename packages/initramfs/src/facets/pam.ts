import { InitramfsError } from "../error.ts";
import { join } from "../internal/paths.ts";
import { readText, resolve, resolveFile } from "../internal/view.ts";
import type { Facet } from "./facet.ts";
import { existing, filesBelow } from "../internal/walk.ts";

const SERVICES = ["/etc/pam.d", "/usr/lib/pam.d"];
/** pam_unix asks it for what only root may read. */
const CHECKER = ["/usr/sbin/unix_chkpwd", "/sbin/unix_chkpwd"];

/** Services of PAM by name, all without any: their files with what those include, and the modules that they name. */
export const pam: Facet = ({ view, values, libraryDirectories }) => {
  const find = (service: string): string | undefined =>
    existing(
      view,
      SERVICES.map((directory) => `${directory}/${service}`),
    )[0];
  const files = new Set<string>();
  const modules = new Set<string>();
  const add = (service: string, by: string): void => {
    const path = find(service);
    if (path === undefined) {
      throw new InitramfsError("INITRAMFS_NOT_FOUND", `There is no PAM service "${service}"${by}`, {
        hint: `Its file would be in ${SERVICES.join(" or ")}`,
      });
    }
    if (files.has(path)) return;
    files.add(path);
    for (const line of serviceLines(readText(view, path) ?? "")) {
      const include = /^@include\s+(\S+)/.exec(line)?.[1];
      const [, control, argument] = /^-?\w+\s+(\[[^\]]*\]|\S+)\s+(\S+)/.exec(line) ?? [];
      if (include !== undefined) add(include, `, which ${path} includes`);
      else if (control === "include" || control === "substack")
        add(argument as string, `, which ${path} includes`);
      else if (argument !== undefined) modules.add(argument);
    }
  };
  const all = SERVICES.flatMap((directory) => [...filesBelow(view, directory)]).map((path) =>
    path.slice(path.lastIndexOf("/") + 1),
  );
  for (const service of values.length === 0 ? all : values) add(service, "");
  if (find("other") !== undefined) add("other", "");
  const objects = [...modules].flatMap((name) =>
    name.startsWith("/")
      ? [name]
      : libraryDirectories.map((directory) => join(directory, `security/${name}`)),
  );
  const configuration = [...filesBelow(view, "/etc/security")].filter((path) => resolveFile(view, path));
  const more = existing(view, ["/etc/login.defs", "/etc/shells"]);
  const checker = CHECKER.find((path) => resolve(view, path) !== undefined);
  return {
    files: [...files, ...configuration, ...more],
    objects: [...existing(view, objects), ...(checker === undefined ? [] : [checker])],
  };
};

/** A line ends with a backslash where it goes on. */
function serviceLines(text: string): string[] {
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter(Boolean);
}
