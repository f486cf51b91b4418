import { readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { QemuError } from "./errors.ts";
import { isClosed, startFilm, type Film, type FilmOptions } from "./film.ts";
import { deferred } from "./internal/deferred.ts";
import type { QmpClient } from "./qmp.ts";

/** The machine's screen. Without a VGA card each method rejects with `QEMU_NO_SCREEN`. */
export interface Screen {
  /** Writes the picture of this moment. */
  png(path: string): Promise<void>;
  /** Writes the last picture when the machine ends, however it ends; resolves when it is written. */
  pngAtEnd(path: string): Promise<void>;
  /** Takes pictures until stopped or until the machine ends, of which the last picture is always taken. */
  film(directory: string, options?: FilmOptions): Promise<Film>;
}

export interface ScreenControl extends Screen {
  /** Takes the last pictures: those asked for, and that of every film that still runs. */
  finish(): Promise<void>;
}

/**
 * @param scratch - Makes the private directory through which QEMU hands over a picture.
 * @param now - Milliseconds since the machine was started.
 */
export function createScreen(
  qmp: QmpClient,
  hasVga: boolean,
  scratch: () => Promise<string>,
  now: () => number,
): ScreenControl {
  const films = new Set<Film>();
  const ends = new Set<() => Promise<void>>();
  let counter = 0;
  let [finished, gone] = [false, false];

  const check = (): void => {
    if (hasVga) return;
    throw new QemuError("QEMU_NO_SCREEN", "The machine has no screen to take a picture of", {
      hint: "Describe it with vga: true",
    });
  };

  const dump = async (filename: string): Promise<void> => {
    await qmp.execute("screendump", { filename, format: "png" });
  };

  const capture = async (): Promise<Uint8Array> => {
    if (gone) throw new QemuError("QEMU_QMP_CLOSED", "The machine has ended");
    const file = join(await scratch(), `screen-${(counter += 1)}.png`);
    await dump(file);
    const bytes = await readFile(file);
    await rm(file, { force: true });
    return bytes;
  };

  const save = async (path: string): Promise<void> => {
    const target = resolve(path);
    const part = `${target}.${process.pid}.part`;
    try {
      await dump(part);
      await rename(part, target);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  };

  return {
    png: async (path) => {
      check();
      await save(path);
    },
    pngAtEnd: async (path) => {
      check();
      const last = (): Promise<void> => save(path).catch((error: unknown) => Promise.reject(tooLate(error)));
      // A machine that has ended already takes no picture any more, and is not waited for.
      if (finished) return last();
      const written = deferred<void>();
      ends.add(() => last().then(written.resolve, written.reject));
      await written.promise;
    },
    film: async (directory, options = {}) => {
      check();
      const film = await startFilm(capture, directory, now, options);
      films.add(film);
      return film;
    },
    finish: async () => {
      finished = true;
      const stopped = Array.from(films, (film) => film.stop());
      await Promise.allSettled([...stopped, ...Array.from(ends, (take) => take())]);
      gone = true;
    },
  };
}

/** An older QEMU of riscv64 is gone by then, see Board. */
function tooLate(error: unknown): unknown {
  if (!isClosed(error)) return error;
  return new QemuError("QEMU_NO_SCREEN", "QEMU ended before its last picture could be taken", {
    hint: "Take a film, whose pictures until then are kept",
    cause: error,
  });
}
