import { toNetascii } from "../netascii.ts";
import { TFTP_ERROR } from "../tftp-packet.ts";
import {
  fileKey,
  inMemory,
  openVirtual,
  type FileRole,
  type OpenFile,
  type VirtualFiles,
} from "../virtual-files.ts";
import { TftpRefusal } from "../tftp-refusal.ts";

/** A file that is ready to be sent. */
export interface PreparedRead {
  readonly file: OpenFile;
  readonly name: string;
  readonly role: FileRole | undefined;
}

/** Netascii is converted in memory, so only small files are sent that way. */
const MOST_NETASCII = 1 << 20;

/** Find and open what a client asks for; errors are answers to it. */
export async function prepareRead(
  files: VirtualFiles,
  request: { readonly file: string; readonly mode: string },
  client: string,
): Promise<PreparedRead> {
  const name = fileKey(request.file);
  if (name === undefined) throw new TftpRefusal(TFTP_ERROR.accessViolation, "No such place");
  const entry = files.get(name);
  if (!entry) throw new TftpRefusal(TFTP_ERROR.notFound, "File not found");
  const { role } = entry;
  const file = await openVirtual(entry, { via: "tftp", client });
  if (!file) throw new TftpRefusal(TFTP_ERROR.notFound, "There is nothing for this machine");
  if (request.mode === "octet") return { file, name, role };
  try {
    if (file.size > MOST_NETASCII) {
      throw new TftpRefusal(TFTP_ERROR.undefined, "Too large for netascii, use octet");
    }
    const bytes = toNetascii(await file.read(0, file.size));
    return { file: inMemory(bytes), name, role };
  } finally {
    await file.close();
  }
}
