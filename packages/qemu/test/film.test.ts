import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "../src/index.ts";
import { openSink } from "../src/internal/film-sink.ts";
import { decodeApng, decodePng } from "./support/png.ts";
import { until } from "./support/processes.ts";

const exec = promisify(execFile);
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "qemu-film-test-"));
});
afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

interface Shot {
  readonly width: number;
  readonly height: number;
  readonly rgb: Buffer;
  readonly at: number;
}

/** Runs the pictures through a film; all but the pixels' order is QEMU's. */
async function film(
  name: string,
  shots: readonly Shot[],
  end: number,
): Promise<{ path: string; kept: boolean[] }> {
  const path = join(scratch, name);
  const sink = await openSink(path);
  const kept: boolean[] = [];
  for (const { width, height, rgb, at } of shots)
    kept.push(await sink.add(Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), rgb]), at));
  await sink.finish(end);
  return { path, kept };
}

/** Numbers from 0 to n - 1, the same for the same seed. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** A screen of that many colours in which a few rectangles change from time to time, and at times its size. */
function makeShots(seed: number, colours: number, count: number): Shot[] {
  const next = random(seed);
  const palette = Array.from({ length: colours }, (_, index) => [index * 37, index * 11, index >> 3]);
  let [width, height] = [5 + next(40), 5 + next(40)];
  let rgb = Buffer.alloc(width * height * 3);
  let at = next(500);
  return Array.from({ length: count }, () => {
    at += 1 + next(next(10) === 0 ? 200_000 : 300);
    rgb = Buffer.from(rgb);
    if (next(6) === 0) {
      [width, height] = [5 + next(40), 5 + next(40)];
      rgb = Buffer.alloc(width * height * 3);
    }
    const [top, left] = [next(height), next(width)];
    for (let y = top; y < height && next(8) > 0; y += 1) {
      for (let x = left; x < width; x += 1) rgb.set(palette[next(colours)] ?? [], (y * width + x) * 3);
    }
    return { width, height, rgb, at };
  });
}

function padded({ width, height, rgb }: Shot, toWidth: number, toHeight: number): Buffer {
  const canvas = Buffer.alloc(toWidth * toHeight * 3);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width * 3; x += 1) canvas[y * toWidth * 3 + x] = rgb[y * width * 3 + x] ?? 0;
  return canvas;
}

describe("an animated PNG", () => {
  test.each([
    { colours: 2, bits: 1, colourType: 3 },
    { colours: 4, bits: 2, colourType: 3 },
    { colours: 13, bits: 4, colourType: 3 },
    { colours: 200, bits: 8, colourType: 3 },
    { colours: 600, bits: 8, colourType: 2 },
  ])("of $colours colours has each picture, pixel by pixel, and its time", async ({ colours, ...kind }) => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const shots = makeShots(seed, colours, 40);
      const end = (shots.at(-1)?.at ?? 0) + 70;
      const { path, kept } = await film(`random-${colours}-${seed}.png`, shots, end);
      const { frames, plays, ...found } = decodeApng(await readFile(path));
      const width = Math.max(...shots.map((shot) => shot.width));
      const height = Math.max(...shots.map((shot) => shot.height));
      expect(found, `seed ${seed}`).toEqual({ width, height, ...kind });
      expect(plays).toBe(1);
      const pictures = shots.map((shot) => padded(shot, width, height));
      expect(kept).toEqual(
        pictures.map((rgb, index) => index === 0 || !rgb.equals(pictures[index - 1] ?? rgb)),
      );
      const different = shots.flatMap(({ at }, index) =>
        kept[index] === true ? [{ at, rgb: pictures[index] }] : [],
      );
      expect(frames.length).toBe(different.length);
      for (const [index, { picture, delay }] of frames.entries()) {
        const { at, rgb } = different[index] ?? { at: 0, rgb: undefined };
        expect(rgb?.equals(picture.rgb), `seed ${seed}, frame ${index}`).toBe(true);
        const shown = (different[index + 1]?.at ?? end) - at;
        // The format's fractions have 16 bits: above a minute they are tenths or whole seconds.
        expect(Math.abs(delay - shown), `${delay} for ${shown} ms`).toBeLessThanOrEqual(
          shown > 65_000 ? 5 : 0,
        );
      }
    }
  });

  test("is read by another program as by ours", async () => {
    const { path } = await film("judge.png", makeShots(7, 13, 25), 1_000_000);
    const { frames } = decodeApng(await readFile(path));
    await exec("apngdis", [path, "judged"], { cwd: scratch });
    const names = (await readdir(scratch)).filter((name) => /^judged\d+\.png$/.test(name)).sort();
    expect(names.length).toBe(frames.length);
    for (const [index, name] of names.entries()) {
      const theirs = decodePng(await readFile(join(scratch, name)));
      expect(theirs.rgb.equals(frames[index]?.picture.rgb ?? theirs.rgb.subarray(1)), name).toBe(true);
      const told = await readFile(join(scratch, name.replace(".png", ".txt")), "latin1");
      const [, numerator, denominator] = /^delay=(\d+)\/(\d+)/.exec(told) ?? [];
      expect((Number(numerator) / Number(denominator)) * 1000).toBeCloseTo(frames[index]?.delay ?? 0, 6);
    }
  });

  test("of a guest that stands still, but for its cursor, has some 100 bytes for each blink", async () => {
    const [width, height] = [720, 32];
    const text = Buffer.alloc(width * height * 3, "some text, which does not change; ");
    const blink = Buffer.from(text).fill(0xff, text.length - 27);
    const shots = Array.from({ length: 500 }, (_, index) => ({
      width,
      height,
      rgb: index % 2 === 0 ? text : blink,
      at: index * 250,
    }));
    const sizes = [2, 500].map(async (count) => {
      const { path } = await film(`still-${count}.png`, shots.slice(0, count), count * 250);
      return (await readFile(path)).length;
    });
    const [short = 0, long = 0] = await Promise.all(sizes);
    expect((long - short) / 498).toBeLessThan(110);
  });

  test("is there when it is complete, and an earlier one stays until then; nothing else is left", async () => {
    const directory = await mkdtemp(join(scratch, "place-"));
    const path = join(directory, "new", "film.apng");
    const sink = await openSink(path);
    expect(await readdir(join(directory, "new"))).toEqual([]);
    await writeFile(path, "an earlier film");
    await sink.add(Buffer.from("P6\n1 1\n255\nabc"), 5);
    expect(await readFile(path, "utf8")).toBe("an earlier film");
    await sink.finish(10);
    expect(decodeApng(await readFile(path)).frames.map(({ delay }) => delay)).toEqual([5]);
    expect(await readdir(join(directory, "new"))).toEqual(["film.apng"]);

    const none = await openSink(join(directory, "none.png"));
    await expect(none.finish(10)).rejects.toMatchObject({ code: "QEMU_NO_SCREEN" });
    await expect(openSink(join(path, "below-a-file.png"))).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readdir(directory)).toEqual(["new"]);
  });
});

describe("a machine that only has its firmware", () => {
  test("leaves its film also when QEMU is killed; a screen in a graphic mode has no text", async () => {
    const place = await mkdtemp(join(scratch, "killed-"));
    await using vm = await launch({ firmware: "bios-256k.bin", memory: "32M", vga: true });
    const [film, nowhere] = await Promise.all([
      vm.screen.film(join(place, "film.png")),
      // A directory in its place: it cannot be written, and the film says so when it is asked.
      vm.screen.film(join(place, "nowhere.png")),
    ]);
    const lastWords = vm.screen.textAtEnd();
    await mkdir(nowhere.path);
    expect(
      await until(async () => (await vm.screen.text().catch(String)).startsWith("SeaBIOS"), 20_000),
    ).toBe(true);
    expect(await until(async () => film.taken > 3, 20_000)).toBe(true);

    // What a kernel with a driver for the card does: bit 0 of the graphics controller's sixth register.
    const monitor = (line: string): Promise<string> =>
      vm.qmp.execute("human-monitor-command", { "command-line": line });
    await monitor("o/b 0x3ce 6");
    const mode = /0x\w+$/.exec((await monitor("i/b 0x3cf")).trim())?.[0] ?? "";
    await monitor(`o/b 0x3cf ${Number(mode) | 1}`);
    await expect(vm.screen.text()).rejects.toMatchObject({
      code: "QEMU_NO_TEXT",
      message: "The screen is in a graphic mode and shows no text that can be read",
    });
    expect(await vm.qmp.execute("query-status")).toMatchObject({ running: true });
    await monitor(`o/b 0x3cf ${mode}`);

    process.kill(vm.pid, "SIGKILL");
    expect(await vm.wait()).toMatchObject({ kind: "qemu-error", signal: "SIGKILL" });
    const { frames } = decodeApng(await readFile(film.path));
    expect(frames.length).toBe(film.kept);
    await film.stop();
    await expect(lastWords).rejects.toMatchObject({ code: "QEMU_NO_SCREEN" });
    await expect(nowhere.stop()).rejects.toMatchObject({ code: "EISDIR" });
    expect((await readdir(place)).sort()).toEqual(["film.png", "nowhere.png"]);
    await expect(vm.screen.text()).rejects.toMatchObject({ code: "QEMU_QMP_CLOSED" });
  });
});
