import { InitramfsError, type InitramfsErrorDetails } from "../error.ts";
import { quoteName } from "../internal/names.ts";

/** Something in an archive that cannot be taken: names the archive and, where there is one, the entry. */
export function layerError(
  archive: string,
  entry: string | undefined,
  problem: string,
  details: InitramfsErrorDetails = {},
): InitramfsError {
  const what = entry === undefined ? problem : `the entry ${quoteName(entry)} ${problem}`;
  return new InitramfsError("INITRAMFS_LAYER", `Cannot take ${quoteName(archive)}: ${what}`, details);
}
