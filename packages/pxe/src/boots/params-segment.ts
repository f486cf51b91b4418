import { readFile } from "node:fs/promises";
import { encodeCpio } from "@justenough/cpio";
import type { Params } from "../policy/plan.ts";

/** Where a machine finds its parameters. */
const PLACE = "params";

/**
 * An initramfs segment with one file for each parameter in /params; undefined when there are none. The same
 * parameters give the same bytes, and the size is a multiple of four, so that a segment can follow.
 */
export async function paramsSegment(params: Params): Promise<Uint8Array | undefined> {
  const names = Object.keys(params).sort();
  if (names.length === 0) return undefined;
  const files = await Promise.all(
    names.map(async (name) => {
      const param = params[name] ?? "";
      const data = typeof param === "string" ? param : await readFile(param.file);
      return { type: "file", name: `${PLACE}/${name}`, mode: 0o400, data } as const;
    }),
  );
  return encodeCpio([{ type: "directory", name: PLACE }, ...files], { blockSize: 4 });
}
