import { basename, dirname, imagePath, join } from "./paths.ts";
import { type FileView, readText, resolve } from "./view.ts";

/**
 * The directories of /etc/ld.so.conf, in order: one a line (or separated by blanks, commas, colons), `#`
 * comments, `include` with patterns, `hwcap` lines ignored, as parse_conf() of glibc's elf/ldconfig.c.
 */
export function readLdSoConf(view: FileView, path = "/etc/ld.so.conf", depth = 0): string[] {
  const text = depth > 8 ? undefined : readText(view, path);
  if (text === undefined) return [];
  const directories: string[] = [];
  for (const rawLine of text.split("\n")) {
    const line = rawLine.replace(/#.*/, "").trim();
    const include = /^include\s+(.+)$/.exec(line);
    if (include !== null) {
      for (const pattern of (include[1] as string).split(/\s+/)) {
        const absolute = pattern.startsWith("/") ? pattern : join(dirname(path), pattern);
        for (const file of expand(view, absolute)) directories.push(...readLdSoConf(view, file, depth + 1));
      }
    } else if (line !== "" && !/^hwcap\s/.test(line)) {
      // "dir=type" was libc5's syntax and still parses.
      const parts = line.split(/[\s,:]+/).map((part) => part.replace(/=.*/, ""));
      directories.push(...parts.filter((part) => part.startsWith("/")).map(imagePath));
    }
  }
  return directories;
}

/** glob(3) with wildcards in the last component, which is all that ld.so.conf files use. */
function expand(view: FileView, pattern: string): string[] {
  const directory = resolve(view, dirname(pattern));
  if (directory?.node.kind !== "directory") return [];
  const wanted = globToRegExp(basename(pattern));
  return view
    .list(directory.path)
    .filter((name) => wanted.test(name))
    .map((name) => join(directory.path, name));
}

function globToRegExp(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".")
    .replace(/\[!/g, "[^");
  // As in a shell, a wildcard does not match a leading dot.
  return new RegExp(`^${/^[*?[]/.test(glob) ? "(?!\\.)" : ""}${source}$`);
}
