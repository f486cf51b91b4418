import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FilmSink } from "./film-sink.ts";

/**
 * Pictures as frame-0001-00520ms.png and so on: number and milliseconds since the start. Those of an earlier film are
 * removed.
 */
export async function directorySink(directory: string): Promise<FilmSink> {
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(directory))
    if (/^frame-\d{4,}-\d{5,}ms\.png$/.test(name)) await rm(join(directory, name));
  let count = 0;
  let last: Buffer | undefined;
  return {
    path: directory,
    format: "png",
    add: async (picture, at) => {
      if (last?.equals(picture) === true) return false;
      last = picture;
      const number = String((count += 1)).padStart(4, "0");
      const path = join(directory, `frame-${number}-${String(at).padStart(5, "0")}ms.png`);
      await writeFile(`${path}.part`, picture);
      await rename(`${path}.part`, path);
      return true;
    },
    finish: async () => undefined,
  };
}
