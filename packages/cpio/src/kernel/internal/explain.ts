import type { Errno } from "./path-walk.ts";

/** Why an entry was not made, for people. */
export function explain(errno: Errno): string {
  switch (errno) {
    case "ENOENT":
      return "its directory is missing or comes later";
    case "ENOTDIR":
      return "a part of its path is no directory";
    case "ENAMETOOLONG":
      return "a part of its path has more than 255 bytes";
    case "ELOOP":
      return "its path leads through more than 40 symlinks";
    case "EISDIR":
      return "a directory is in its place";
    case "EEXIST":
      return "a directory that is not empty or an earlier node is in its place";
    case "EPERM":
      return "its first name is a directory by now";
    case "ENXIO":
      return "a socket is in its place";
    default:
      return errno;
  }
}

/** What to know about the kernel's own messages. */
export function hintFor(message: string): string | undefined {
  switch (message) {
    case "broken padding":
      return "zeros between archives must reach to a multiple of 4";
    case "invalid magic at start of compressed archive":
      return "no compression that Linux knows starts here, and an archive only at a multiple of 4";
    case "junk at the end of compressed archive":
      return "an archive may not go on in the next compressed member";
    case "junk within compressed archive":
      return "only zeros may come between entries";
    case "malformed archive":
      return "a name has no NUL at its end";
    case "damaged header":
      return "a header field has other than 8 hexadecimal digits";
    default:
      return undefined;
  }
}
