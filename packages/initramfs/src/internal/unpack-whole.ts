import { execFileSync } from "node:child_process";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

import { InitramfsError } from "../error.ts";

/** Unpacks a module or a firmware file, by the suffix that its name has. */
export function unpackWhole(packed: Uint8Array, suffix: string | undefined, what: string): Uint8Array {
  try {
    switch (suffix) {
      case "gz":
        return gunzipSync(packed);
      case "zst":
        return zstdDecompressSync(packed);
      case "xz":
        // Node has no xz; the tool is everywhere where files are packed with it.
        return execFileSync("xz", ["-dc"], { input: packed, maxBuffer: 1 << 30, stdio: "pipe" });
      default:
        return packed;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new InitramfsError(
        "INITRAMFS_TOOL",
        `Unpacking ${what} needs the tool xz, which this machine does not have`,
        { cause: error, hint: "Install it: apt-get install xz-utils" },
      );
    }
    throw new InitramfsError("INITRAMFS_FORMAT", `Cannot unpack ${what}`, { cause: error });
  }
}
