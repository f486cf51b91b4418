import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { PxeError } from "../errors.ts";

/** Read certificate and key; that they are such and belong together is better known now than at the first client. */
export async function readTls(files: {
  readonly cert: string;
  readonly key: string;
}): Promise<{ cert: Buffer; key: Buffer }> {
  const shown = `${JSON.stringify(files.cert)} and ${JSON.stringify(files.key)}`;
  try {
    const tls = { cert: await readFile(files.cert), key: await readFile(files.key) };
    createSecureContext(tls);
    return tls;
  } catch (cause) {
    const text = (cause as Error).message;
    throw new PxeError("PXE_TLS_INVALID", `Cannot use ${shown} as certificate and key: ${text}`, {
      cause,
      hint: "name a certificate and its key, both in PEM, that this program may read",
    });
  }
}

/** Read the administrator's token. */
export async function readToken(file: string): Promise<string> {
  const invalid = (why: string, cause?: unknown): PxeError =>
    new PxeError("PXE_TOKEN_INVALID", `Cannot take a token from ${JSON.stringify(file)}: ${why}`, {
      cause,
      hint: `write a secret of your choice into it, such as: openssl rand -hex 16`,
    });
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw invalid((cause as Error).message, cause);
  });
  const token = text.trim();
  if (token === "") throw invalid("it is empty");
  // It has to fit into a header and a query.
  if (!/^[\u0021-\u007e]+$/.test(token)) throw invalid("it is more than one word of ASCII");
  return token;
}
