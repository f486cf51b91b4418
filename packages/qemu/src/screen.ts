import { readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { QemuError } from "./errors.ts";
import { isClosed, startFilm, type Film, type FilmControl, type FilmOptions } from "./film.ts";
import { deferred } from "./internal/deferred.ts";
import { cellReader } from "./internal/read-cells.ts";
import type { Machine } from "./machine.ts";
import type { QmpClient } from "./qmp.ts";
import type { LastScreen } from "./result.ts";
import { cellsText, printedLines, type ScreenCells } from "./screen-text.ts";

/**
 * The machine's screen. Without one (`vga: true`) each method rejects with `QEMU_NO_SCREEN`, and after the machine's end
 * with `QEMU_QMP_CLOSED`.
 *
 * @example
 * ```ts no-run
 * import { launch } from "@justenough/qemu";
 * const vm = await launch({ kernel: "bzImage", cmdline: "console=tty0 console=ttyS0", vga: true });
 * const film = await vm.screen.film("boot.png", { fps: 10 });
 * const lastWords = vm.screen.textAtEnd();
 * await vm.wait(); // the film is complete
 * console.log(`${film.kept} pictures in ${film.path}`);
 * console.log(await lastWords);
 * ```
 */
export interface Screen {
  /** Writes the picture of this moment. */
  png(path: string): Promise<void>;
  /** Writes the last picture when the machine ends, however it ends; resolves when it is written. */
  pngAtEnd(path: string): Promise<void>;
  /**
   * Takes pictures until stopped or until the machine ends, of which the last picture is always taken. A path that ends
   * in `.png` or `.apng` becomes one animated PNG, any other a directory of frame-0001-00520ms.png and so on: number and
   * milliseconds since the start.
   */
  film(path: string, options?: FilmOptions): Promise<Film>;
  /**
   * The characters on the screen and their colours, exactly, of one moment: in a PC's text mode from the card's memory; in
   * a graphic mode by the letters of the kernel that was given, and what is none of them is U+FFFD. Rejects with
   * `QEMU_NO_TEXT` when most of the screen is a picture, or the kernel has no such letters.
   */
  cells(): Promise<ScreenCells>;
  /** The same as lines of text, without blanks at their ends and without empty lines at the bottom. */
  text(): Promise<string>;
  /** The text when the machine ends, however it ends; rejects with `QEMU_NO_SCREEN` when QEMU itself was gone before. */
  textAtEnd(): Promise<string>;
}

/** What is shown, and the lines that it was printed by. */
export interface LastLook {
  readonly shown: LastScreen;
  readonly lines: readonly string[];
}

export interface ScreenControl extends Screen {
  /** This moment; undefined without a screen. */
  last(): Promise<LastLook | undefined>;
  /** Takes the last pictures: those asked for, and that of every film that still runs. */
  finish(): Promise<void>;
  /** Resolves when every film is complete. */
  written(): Promise<void>;
}

/**
 * @param scratch - Makes the private directory through which QEMU hands over a picture.
 * @param now - Milliseconds since the machine was started.
 */
export function createScreen(
  qmp: QmpClient,
  machine: Pick<Machine, "vga" | "arch" | "kernel">,
  scratch: () => Promise<string>,
  now: () => number,
): ScreenControl {
  const films = new Set<FilmControl>();
  const ends = new Set<() => Promise<void>>();
  let counter = 0;
  let [finished, gone] = [false, false];

  const check = (): void => {
    if (machine.vga) return;
    throw new QemuError("QEMU_NO_SCREEN", "The machine has no screen to take a picture of", {
      hint: "Describe it with vga: true",
    });
  };

  // What QEMU hands over needs a directory, which is removed at the machine's end.
  const checkAlive = (): void => {
    if (gone) throw new QemuError("QEMU_QMP_CLOSED", "The machine has ended");
  };

  const dump = async (filename: string, format: "png" | "ppm" = "png"): Promise<void> => {
    await qmp.execute("screendump", { filename, format });
  };

  const capture = async (format: "png" | "ppm"): Promise<Buffer> => {
    checkAlive();
    const file = join(await scratch(), `screen-${(counter += 1)}.${format}`);
    await dump(file, format);
    const bytes = await readFile(file);
    await rm(file, { force: true });
    return bytes;
  };

  const savePicture = async (path: string): Promise<void> => {
    check();
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

  const scratchFile = async (): Promise<string> => {
    checkAlive();
    return join(await scratch(), `text-${(counter += 1)}`);
  };
  const readCells = cellReader(qmp, machine, scratchFile, () => capture("ppm"));
  const cells = async (): Promise<ScreenCells> => {
    check();
    return readCells();
  };
  const text = async (): Promise<string> => cellsText(await cells());

  /** Does something when the machine ends; what cannot be any more, or at all, is told at once. */
  const atEnd = <T>(work: () => Promise<T>): Promise<T> => {
    const last = (): Promise<T> => work().catch((error: unknown) => Promise.reject(tooLate(error)));
    const { promise, resolve: done, reject } = deferred<T>();
    const take = (): Promise<void> => last().then(done, reject);
    if (finished || !machine.vga) void take();
    else ends.add(take);
    // Whoever awaits it, after the machine's end perhaps, hears of a failure; until then none must end the process.
    promise.catch(() => undefined);
    return promise;
  };

  return {
    png: savePicture,
    pngAtEnd: (path) => atEnd(() => savePicture(path)),
    cells,
    text,
    textAtEnd: () => atEnd(text),
    last: async () => {
      if (!machine.vga) return undefined;
      const png = await capture("png");
      const words = await cells().catch(() => undefined);
      if (words === undefined) return { shown: { png }, lines: [] };
      return { shown: { png, text: cellsText(words) }, lines: printedLines(words) };
    },
    film: async (path, options = {}) => {
      check();
      const film = await startFilm(capture, path, now, options);
      films.add(film);
      return film;
    },
    finish: async () => {
      finished = true;
      const stopped = Array.from(films, (film) => film.cut());
      await Promise.allSettled([...stopped, ...Array.from(ends, (take) => take())]);
      gone = true;
    },
    written: async () => {
      await Promise.allSettled(Array.from(films, (film) => film.stop()));
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
