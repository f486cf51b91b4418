import { basename } from "node:path";

import { addEntries } from "./add-entry.ts";
import { fileSource } from "./byte-source.ts";
import { decompress } from "./decompress.ts";
import type { LayerContext, ReadLayer } from "./layer.ts";
import { newDirectory } from "./root.ts";

/** A tar archive as a root file system. Later entries replace earlier ones of the same name. */
export async function readTarLayer(path: string, context: LayerContext): Promise<ReadLayer> {
  const name = basename(path);
  const source = await decompress(fileSource(path), name, context);
  const root = newDirectory();
  const target = { root, archive: name, why: name, source };
  await addEntries(target, context);
  return { root, info: { kind: "tar", source: path, name }, diagnostics: [] };
}
