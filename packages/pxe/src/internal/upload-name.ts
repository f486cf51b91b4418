import { TFTP_ERROR } from "../tftp-packet.ts";
import { TftpRefusal } from "../tftp-refusal.ts";

/**
 * The name under which a client may store a file: one file, no directory, nothing that a shell, a terminal or
 * another system could take for something else. There is no way out of a directory for a name without
 * separators, whatever decodes it.
 */
export function uploadName(name: string): string {
  if (name.length <= 200 && /^[A-Za-z0-9_][\w.,=@+~-]*$/.test(name)) return name;
  throw new TftpRefusal(
    TFTP_ERROR.accessViolation,
    "Not a name to store under: letters, digits and _.,=@+~- only, without directories",
  );
}
