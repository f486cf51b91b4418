import { nameLength } from "../internal/names.ts";
import { layerError } from "./layer-error.ts";

/** Bytes of an absolute path, as for all of the image, and NAME_MAX (include/uapi/linux/limits.h). */
export const MAX_PATH = 4094;
const MAX_NAME = 255;

/**
 * The components of an entry's name. Slashes at the ends, empty components and "." mean nothing; "..", NULs and
 * what Linux could not hold are refused rather than cleaned: an honest archive has none.
 */
export function entryPath(name: string, archive: string): string[] {
  if (name.includes("\0")) throw layerError(archive, name, "has a NUL in its name");
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw layerError(archive, name, 'has ".." in its name');
  if (name === "") throw layerError(archive, name, "has no name");
  if (nameLength(name) >= MAX_PATH || parts.some((part) => part.length > 60 && nameLength(part) > MAX_NAME)) {
    throw layerError(archive, name, "has a name that is too long for Linux");
  }
  return parts;
}

/** What a symbolic link says, which may point anywhere: it is only ever followed within the image. */
export function linkTarget(target: string, name: string, archive: string): string {
  if (target === "") throw layerError(archive, name, "is a symbolic link to nothing");
  if (target.includes("\0")) throw layerError(archive, name, "is a symbolic link with a NUL in it");
  if (nameLength(target) > 4095)
    throw layerError(archive, name, "is a symbolic link that is too long for Linux");
  return target;
}
