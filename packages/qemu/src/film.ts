import { setTimeout as sleep } from "node:timers/promises";
import { QemuError } from "./errors.ts";
import { openSink, type FilmSink } from "./internal/film-sink.ts";

export interface FilmOptions {
  /** Pictures a second, default 10. */
  readonly fps?: number | undefined;
}

/** A film that is being taken. */
export interface Film {
  /** The animated PNG, which is there when the film has ended, or the directory of the pictures. */
  readonly path: string;
  /** Different pictures so far: one that is equal to the one before is not kept. */
  readonly kept: number;
  /** Pictures taken so far, the equal ones too. */
  readonly taken: number;
  /**
   * Takes a last picture and completes the film; further calls return the same, and so does the machine's end. Rejects
   * when something could not be written, and with `QEMU_NO_SCREEN` when QEMU ended before the first picture.
   */
  stop(): Promise<void>;
}

export interface FilmControl extends Film {
  /** Takes the last picture; what remains to be done needs no machine. Never rejects. */
  cut(): Promise<void>;
}

/** Takes a picture `fps` times a second until it is stopped or QEMU has ended. */
export async function startFilm(
  capture: (format: FilmSink["format"]) => Promise<Buffer>,
  path: string,
  now: () => number,
  options: FilmOptions,
): Promise<FilmControl> {
  const fps = options.fps ?? 10;
  if (!(fps > 0 && fps <= 60))
    throw new QemuError(
      "QEMU_SPEC_INVALID",
      `A film of ${fps} pictures a second was asked for, wanted is 1 to 60`,
    );
  const sink = await openSink(path);
  let [taken, kept] = [0, 0];
  const stopping = new AbortController();

  const take = async (): Promise<void> => {
    const at = Math.round(now());
    const picture = await capture(sink.format);
    taken += 1;
    if (await sink.add(picture, at)) kept += 1;
  };

  const shoot = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const next = now() + 1000 / fps;
      await take();
      await sleep(Math.max(1, next - now()), undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    await take();
  };
  const shot = shoot().catch((error: unknown) => {
    // A QEMU that has ended by itself gives no last picture; the film is what there is.
    if (!isClosed(error)) throw error;
  });
  const complete = async (): Promise<void> => {
    try {
      await shot;
    } finally {
      await sink.finish(now());
    }
  };
  const finished = complete();
  // Whoever stops the film hears of it; until then a failure must not bring the process down.
  finished.catch(() => undefined);

  return {
    path: sink.path,
    get kept() {
      return kept;
    },
    get taken() {
      return taken;
    },
    cut: async () => {
      stopping.abort();
      await shot.catch(() => undefined);
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
