/** A picture as rows of red, green and blue bytes. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgb: Buffer;
}

/** Reads the PPM that QEMU writes: `P6`, width and height, 255, each on a line; then the pixels. */
export function parsePpm(file: Buffer): Pixels {
  const header = /^P6\n(\d+) (\d+)\n255\n/.exec(file.toString("latin1", 0, 40));
  const [width, height] = [Number(header?.[1]), Number(header?.[2])];
  const rgb = file.subarray(header?.[0].length ?? 0);
  if (!(width * height * 3 === rgb.length)) throw new Error("QEMU wrote a picture that is no complete PPM");
  return { width, height, rgb };
}

export function blackPicture(width: number, height: number): Pixels {
  return { width, height, rgb: Buffer.alloc(width * height * 3) };
}

/** The picture at the top left of a black one of that size. */
export function onCanvas(picture: Pixels, width: number, height: number): Pixels {
  if (picture.width === width && picture.height === height) return picture;
  const canvas = blackPicture(width, height);
  const line = Math.min(picture.width, width) * 3;
  for (let y = 0; y < Math.min(picture.height, height); y += 1)
    picture.rgb.copy(canvas.rgb, y * width * 3, y * picture.width * 3, y * picture.width * 3 + line);
  return canvas;
}

/** The rows from the first to the last in which two pictures of one size differ. */
export function changedRows(
  a: Pixels,
  b: Pixels,
): { readonly top: number; readonly rows: number } | undefined {
  if (a.rgb.equals(b.rgb)) return undefined;
  const line = a.width * 3;
  const same = (y: number): boolean =>
    a.rgb.compare(b.rgb, y * line, (y + 1) * line, y * line, (y + 1) * line) === 0;
  let [top, end] = [0, a.height];
  while (same(top)) top += 1;
  while (same(end - 1)) end -= 1;
  return { top, rows: end - top };
}
