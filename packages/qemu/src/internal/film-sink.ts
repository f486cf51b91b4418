import { extname, resolve } from "node:path";
import { animationSink } from "./animation-sink.ts";
import { directorySink } from "./directory-sink.ts";

/** Where the pictures of a film go. */
export interface FilmSink {
  readonly path: string;
  /** How QEMU is to write them. */
  readonly format: "png" | "ppm";
  /** Takes the picture of a moment, in milliseconds since the start; tells whether it differed from the one before. */
  add(picture: Buffer, at: number): Promise<boolean>;
  /** Completes the film, whose last picture was there until that moment. */
  finish(end: number): Promise<void>;
}

/** A path that ends like a picture's is an animated PNG, another a directory. */
export async function openSink(path: string): Promise<FilmSink> {
  const target = resolve(path);
  const animated = [".png", ".apng"].includes(extname(target).toLowerCase());
  return animated ? animationSink(target) : directorySink(target);
}
