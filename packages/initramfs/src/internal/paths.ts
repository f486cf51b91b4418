import { InitramfsError } from "../error.ts";
import { compareNames, nameLength } from "./names.ts";

/** Makes a path in the image canonical: absolute, without empty, "." and ".." components. */
export function imagePath(path: string): string {
  if (path.includes("\0")) {
    throw new InitramfsError("INITRAMFS_INVALID_OPTION", `The path ${JSON.stringify(path)} holds a NUL`);
  }
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  // NAME_MAX and PATH_MAX: the kernel drops an entry beyond them without a word (init/initramfs.c).
  const tooLong = parts.find((part) => nameLength(part) > 255);
  if (tooLong !== undefined || nameLength(path) > 4094) {
    throw new InitramfsError(
      "INITRAMFS_INVALID_OPTION",
      `The path ${JSON.stringify(path)} is too long for Linux`,
    );
  }
  return `/${parts.join("/")}`;
}

/** Checks a path that a user gave for the image; one that climbs out is a mistake, not something to clean. */
export function userImagePath(path: string, what: string): string {
  if (!path.startsWith("/")) {
    throw new InitramfsError("INITRAMFS_INVALID_OPTION", `The ${what} "${path}" is not an absolute path`, {
      hint: `Write "/${path}"`,
    });
  }
  if (path.split("/").includes("..")) {
    throw new InitramfsError("INITRAMFS_INVALID_OPTION", `The ${what} "${path}" contains ".."`);
  }
  const result = imagePath(path);
  if (result === "/") {
    throw new InitramfsError("INITRAMFS_INVALID_OPTION", `The ${what} "${path}" is the root directory`);
  }
  return result;
}

export function dirname(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

export function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function join(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** Bytewise, which puts every directory before what it holds. */
export function comparePaths(a: string, b: string): number {
  return compareNames(a, b);
}
