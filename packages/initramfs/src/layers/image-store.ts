import { lstatSync, statSync } from "node:fs";
import { basename, join } from "node:path";

import { addEntries } from "./add-entry.ts";
import { createBudget } from "./budget.ts";
import { type ByteSource, contentSource, fileSource } from "./byte-source.ts";
import { decompress } from "./decompress.ts";
import { entryPath } from "./entry-path.ts";
import type { LayerContext } from "./layer.ts";
import { findFile, newDirectory } from "./root.ts";

/** The files of an image layout, wherever they are. */
export interface ImageStore {
  readonly name: string;
  /** Names come from our own code or, in archives, from the archive: then they lead nowhere else. */
  file(path: string): ByteSource | undefined;
}

export async function openImageStore(source: string, context: LayerContext): Promise<ImageStore> {
  const name = basename(source);
  if (statSync(source, { throwIfNoEntry: false })?.isDirectory() === true)
    return directoryStore(source, name);
  const bytes = await decompress(fileSource(source), name, context);
  const root = newDirectory();
  // Its files are blobs, which are counted when they are read.
  const outer = { ...context, budget: createBudget({ bytes: Number.POSITIVE_INFINITY }) };
  const target = { root, archive: name, why: name, source: bytes };
  await addEntries(target, outer);
  return {
    name,
    file(path) {
      const content = findFile(root, entryPath(path, name));
      return content === undefined ? undefined : contentSource(content);
    },
  };
}

/** Only what an image layout names itself is opened: `index.json` and blobs by their digests. */
const LAYOUT_FILE = /^(index\.json|blobs\/sha256\/[0-9a-f]{64}|blobs\/sha512\/[0-9a-f]{128})$/;

function directoryStore(source: string, name: string): ImageStore {
  return {
    name,
    file(path) {
      if (!LAYOUT_FILE.test(path)) return undefined;
      const host = join(source, path);
      return lstatSync(host, { throwIfNoEntry: false })?.isFile() === true ? fileSource(host) : undefined;
    },
  };
}
