import { createHash } from "node:crypto";

import { quoteName } from "../internal/names.ts";
import { type ByteSource, chunks } from "./byte-source.ts";
import type { ImageStore } from "./image-store.ts";
import type { Json } from "./json.ts";
import { layerError } from "./layer-error.ts";

/** What a descriptor points to, its size and digest verified (descriptor.md). */
export function readBlob(store: ImageStore, descriptor: Json): ByteSource {
  const digest = descriptor.at("digest").wantText();
  const [algorithm, hex] = splitDigest(digest, store.name);
  const found = store.file(`blobs/${algorithm}/${hex}`);
  if (found === undefined) throw layerError(store.name, undefined, `its blob ${digest} is missing`);
  const size = descriptor.at("size").number();
  if (size !== undefined && size !== found.size) {
    throw layerError(store.name, undefined, `its blob ${digest} has ${found.size} bytes instead of ${size}`);
  }
  verifyDigest(found, digest, store.name);
  return found;
}

export function verifyDigest(source: ByteSource, digest: string, archive: string): void {
  const [algorithm, hex] = splitDigest(digest, archive);
  const hash = createHash(algorithm);
  for (const chunk of chunks(source)) hash.update(chunk);
  const found = hash.digest("hex");
  if (found === hex) return;
  throw layerError(archive, undefined, `what should have the digest ${digest} has ${algorithm}:${found}`, {
    hint: "The image is damaged or was tampered with; fetch it again",
  });
}

/** Only the two algorithms that the specification registers; anything else could be a path. */
function splitDigest(digest: string, archive: string): [algorithm: "sha256" | "sha512", hex: string] {
  const match = /^(?:(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128}))$/.exec(digest);
  if (match === null) throw layerError(archive, undefined, `it has the invalid digest ${quoteName(digest)}`);
  return match[1] === undefined ? ["sha512", match[4] as string] : ["sha256", match[2] as string];
}
