import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { QemuError } from "./errors.ts";

export interface FilmOptions {
  /** Pictures a second, default 10. */
  readonly fps?: number | undefined;
}

export interface Frame {
  readonly path: string;
  /** Milliseconds since the machine was started. */
  readonly at: number;
}

/** A film that is being taken. */
export interface Film {
  readonly directory: string;
  /** The frames written so far: a picture equal to the one before is not written again. */
  readonly frames: readonly Frame[];
  /** Pictures taken so far, the equal ones too. */
  readonly taken: number;
  /** Takes a last picture and ends. Further calls return the same. Rejects when a frame could not be written. */
  stop(): Promise<void>;
}

/**
 * Takes a picture `fps` times a second, as frame-0001-00520ms.png and so on: number and milliseconds since the start.
 * Frames of an earlier film in the directory are removed.
 */
export async function startFilm(
  capture: () => Promise<Uint8Array>,
  directory: string,
  now: () => number,
  options: FilmOptions,
): Promise<Film> {
  const fps = options.fps ?? 10;
  if (!(fps > 0 && fps <= 60))
    throw new QemuError(
      "QEMU_SPEC_INVALID",
      `A film of ${fps} pictures a second was asked for, wanted is 1 to 60`,
    );
  const target = resolve(directory);
  await mkdir(target, { recursive: true });
  for (const name of await readdir(target))
    if (/^frame-\d{4,}-\d{5,}ms\.png$/.test(name)) await rm(join(target, name));

  const frames: Frame[] = [];
  let taken = 0;
  let last: Uint8Array | undefined;
  const stopping = new AbortController();

  const take = async (): Promise<void> => {
    const at = Math.round(now());
    const picture = await capture();
    taken += 1;
    if (last !== undefined && Buffer.compare(last, picture) === 0) return;
    last = picture;
    const number = String(frames.length + 1).padStart(4, "0");
    const path = join(target, `frame-${number}-${String(at).padStart(5, "0")}ms.png`);
    await writeFile(`${path}.part`, picture);
    await rename(`${path}.part`, path);
    frames.push({ path, at });
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const next = now() + 1000 / fps;
      await take();
      await sleep(Math.max(1, next - now()), undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    await take();
  };
  const finished = run().catch((error: unknown) => {
    // A QEMU that has ended by itself gives no last picture; the film is what there is.
    if (!isClosed(error)) throw error;
  });
  // Whoever stops the film hears of it; until then a failure must not bring the process down.
  finished.catch(() => undefined);

  return {
    directory: target,
    frames,
    get taken() {
      return taken;
    },
    stop: () => {
      stopping.abort();
      return finished;
    },
  };
}

/** Whether QEMU was gone when it was asked for a picture. */
export function isClosed(error: unknown): boolean {
  return error instanceof QemuError && error.code === "QEMU_QMP_CLOSED";
}
