import { openElf, readModuleInfo } from "@justenough/elf";

import { glob, isGlob } from "./glob.ts";
import { imagePath, join } from "./paths.ts";
import { unpackWhole } from "./unpack-whole.ts";
import { type FileView, resolve, resolveFile } from "./view.ts";

/** A file that a driver loads, or a link on the way to it. */
export type FirmwareFile = {
  /** An absolute path, without the compression's suffix. */
  readonly path: string;
  readonly why: string;
} & ({ readonly kind: "file"; readonly bytes: Uint8Array } | { readonly kind: "link"; readonly to: string });

export interface FirmwareNeed {
  readonly module: string;
  /** Relative to the firmware directories; may be a pattern. */
  readonly file: string;
}

/** In the order in which the kernel tries them, as the directories (drivers/base/firmware_loader/main.c). */
const SUFFIXES = ["", ".zst", ".xz"] as const;
const SUFFIX = /\.(zst|xz)$/;

function directories(release: string): string[] {
  return [`updates/${release}`, "updates", release, ""].map((name) => imagePath(`/lib/firmware/${name}`));
}

/** What a module says of its firmware: a driver names all that it might load, for all its devices. */
export function moduleFirmware(module: string, bytes: Uint8Array): FirmwareNeed[] {
  const info = readModuleInfo(openElf(bytes)) ?? [];
  return info.filter(({ key }) => key === "firmware").map(({ value: file }) => ({ module, file }));
}

/** Paths at which a request is answered; none if it is not. */
export function findFirmware(view: FileView, release: string, file: string): string[] {
  // It comes from a module, which others have made.
  if (imagePath(file) !== `/${file}`) return [];
  if (isGlob(file)) return directories(release).flatMap((directory) => matching(view, directory, file));
  const candidates = directories(release).flatMap((directory) =>
    SUFFIXES.map((suffix) => join(directory, file) + suffix),
  );
  return candidates.filter((path) => resolveFile(view, path) !== undefined).slice(0, 1);
}

function matching(view: FileView, directory: string, pattern: string): string[] {
  let paths = [directory];
  for (const part of pattern.split("/")) {
    const expected = glob(part);
    paths = paths.flatMap((path) => {
      const found = resolve(view, path);
      if (found?.node.kind !== "directory") return [];
      const names = view.list(found.path).filter((name) => expected.test(name.replace(SUFFIX, "")));
      return names.map((name) => join(path, name));
    });
  }
  return paths.filter((path) => resolveFile(view, path) !== undefined);
}

/** Reads what is there of the firmware, unpacked; links stay links, by which many devices share a file. */
export function readFirmware(
  view: FileView,
  release: string,
  needs: readonly FirmwareNeed[],
): FirmwareFile[] {
  const files = new Map<string, FirmwareFile>();
  for (const { module, file } of needs) {
    for (const requested of findFirmware(view, release, file)) {
      const found = resolveFile(view, requested);
      if (found === undefined) continue;
      const why = `firmware of ${module}`;
      for (const link of found.links) {
        const path = link.path.replace(SUFFIX, "");
        files.set(path, { path, why, kind: "link", to: link.to.replace(SUFFIX, "") });
      }
      const path = found.path.replace(SUFFIX, "");
      if (files.has(path)) continue;
      const packed = view.read(found.path, 0, found.size);
      const bytes = unpackWhole(packed, SUFFIX.exec(found.path)?.[1], `the firmware "${found.path}"`);
      files.set(path, { path, why, kind: "file", bytes });
    }
  }
  return [...files.values()];
}
