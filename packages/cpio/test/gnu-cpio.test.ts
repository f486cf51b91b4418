import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CpioDecodedEntry, type CpioInput, decodeCpio, encodeCpio } from "../src/index.ts";
import { packAll, unpackAll } from "./collect.ts";
import { describeTree, gnuCpio, inputsFrom, listTree, makeOddTree, nulList } from "./tree.ts";

const directory = mkdtempSync(join(tmpdir(), "cpio-gnu-"));
const odd = join(directory, "odd");
beforeAll(() => {
  mkdirSync(odd);
  makeOddTree(odd);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Some hundred real files, none of ours. */
const REAL = "/usr/share";
const realNames = listTree(REAL, 900);

const FORMATS = ["newc", "crc"] as const;
const REPRODUCIBLE = ["--reproducible", "--renumber-inodes"];
const isLink = (input: CpioInput): boolean => input.type === "link";

/** What GNU cpio writes for these names, the same at any time. */
function gnuArchive(cwd: string, names: readonly Buffer[], format: string): Buffer {
  const archive = gnuCpio(["-o", "-0", "-H", format, ...REPRODUCIBLE], { cwd, input: nulList(names) });
  // GNU cpio stores the link count of a directory on the disk, and only since 2.14 a constant 2 when asked to be
  // reproducible. The count means nothing: it grows with subdirectories that the archive may not hold.
  for (const { type, offset } of decodeCpio(archive)) {
    if (type === "directory") archive.write("00000002", offset + 6 + 4 * 8, "latin1");
  }
  return archive;
}

/** The names that belong to each file of several names. */
function linkSets(entries: readonly CpioDecodedEntry[]): string[][] {
  const sets = new Map<string, string[]>();
  for (const { linkKey, nameBytes } of entries) {
    if (linkKey === undefined) continue;
    sets.set(linkKey, [...(sets.get(linkKey) ?? []), Buffer.from(nameBytes).toString("latin1")]);
  }
  return [...sets.values()].map((names) => names.sort()).sort((a, b) => (a.join() < b.join() ? -1 : 1));
}

describe.each(FORMATS)("GNU cpio and %s", (format) => {
  it("writes the same bytes for a real tree", async () => {
    const inputs = inputsFrom(REAL, realNames);
    expect(inputs.length).toBeGreaterThan(300);
    expect(inputs.filter(isLink)).toEqual([]);
    const theirs = gnuArchive(REAL, realNames, format);
    expect((await packAll(inputs, { format })).equals(theirs)).toBe(true);
    expect(theirs.equals(encodeCpio(inputs, { format }))).toBe(true);
  });

  it("writes the same bytes for odd names and nodes; hard links apart", async () => {
    // GNU cpio puts off all names of a file but the last, and stores the data there; we keep the given order.
    const inputs = inputsFrom(odd, listTree(odd));
    const linked = new Set(
      inputs.flatMap((input) => (input.type === "link" ? [String(input.linkTo), String(input.name)] : [])),
    );
    const names = listTree(odd).filter((name) => !linked.has(String(name)));
    expect(linked.size).toBe(7);
    expect(names.length).toBeGreaterThan(30);
    const theirs = gnuArchive(odd, names, format);
    expect((await packAll(inputsFrom(odd, names), { format })).equals(theirs)).toBe(true);
  });

  it("is extracted by GNU cpio to the same tree", async () => {
    const names = listTree(odd);
    const target = join(directory, `extracted-${format}`);
    mkdirSync(target);
    const archive = await packAll(inputsFrom(odd, names), { format });
    gnuCpio(["-i", "-d", "-m", "--preserve-modification-time"], { cwd: target, input: archive });
    expect(listTree(target)).toEqual(names);
    expect(describeTree(target, names)).toEqual(describeTree(odd, names));
  });

  it("is extracted by bsdcpio to the same tree", async () => {
    const names = listTree(odd);
    const target = join(directory, `bsd-${format}`);
    mkdirSync(target);
    const input = await packAll(inputsFrom(odd, names), { format });
    const options = { cwd: target, input, env: { ...process.env, LC_ALL: "C" } };
    const { status, stderr } = spawnSync("bsdcpio", ["--quiet", "-i", "-d", "-m"], options);
    expect([status, stderr.toString()]).toEqual([0, ""]);
    expect(listTree(target)).toEqual(names);
    expect(describeTree(target, names)).toEqual(describeTree(odd, names));
  });

  it("is listed by GNU cpio as its own archive is", async () => {
    const names = listTree(odd).filter((name) => !/[^ -~]/u.test(name.toString("latin1")));
    const theirs = gnuArchive(odd, names, format);
    const listing = (archive: Uint8Array): string[] =>
      gnuCpio(["-t", "-v", "-n"], { input: archive })
        .toString("latin1")
        .split("\n")
        // Sizes of linked names differ: the data stand at another one.
        .map((line) => line.replace(/^(-\S+ +[2-9] +\S+ +\S+ +)\d+/u, "$1"))
        .sort();
    const ours = listing(await packAll(inputsFrom(odd, names), { format }));
    expect(ours).toEqual(listing(theirs));
    expect(ours.length).toBe(names.length + 1);
  });

  it("reads what GNU cpio wrote", async () => {
    const names = listTree(odd);
    const archive = gnuCpio(["-o", "-0", "-H", format], { cwd: odd, input: nulList(names) });
    const entries = decodeCpio(archive);
    expect(await unpackAll([archive])).toEqual(
      entries.map((entry) => ({ ...entry, data: Buffer.from(entry.data) })),
    );
    const ours = decodeCpio(encodeCpio(inputsFrom(odd, names), { format }));
    const comparable = (list: readonly CpioDecodedEntry[]): string[] =>
      list
        .map(({ nameBytes, type, mode, uid, gid, mtime, rdev, data, targetBytes, linkKey }) =>
          [
            Buffer.from(nameBytes).toString("latin1"),
            type,
            mode,
            uid,
            gid,
            mtime,
            rdev.major,
            rdev.minor,
            linkKey === undefined ? Buffer.from(data).toString("base64") : "linked",
            Buffer.from(targetBytes ?? []).toString("latin1"),
          ].join(" "),
        )
        .sort();
    expect(comparable(ours)).toEqual(comparable(entries));
    expect(linkSets(ours)).toEqual(linkSets(entries));
    expect(linkSets(ours)).toHaveLength(3);
    expect(entries.filter(({ linkKey }) => linkKey !== undefined).map(({ data }) => data.length)).toContain(
      7,
    );
    expect(entries.every((entry) => entry.format === format)).toBe(true);
  });
});
