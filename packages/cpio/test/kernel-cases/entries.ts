/** Headers, names, data and modes. */
import type { KernelCase } from "./kernel-case.ts";
import { BLK, CHR, DIR, entry, FIFO, join, LNK, REG, SOCK, sumOf, trailer } from "./segment.ts";

const long = (length: number, char = "n"): string => char.repeat(length);
/** A path of an exact length below a directory, in components of at most 255 bytes. */
const longPath = (length: number): string => {
  let path = "";
  while (path.length < length) path += path.length % 200 === 199 ? "/" : "p";
  return path.replace(/\/$/, "p");
};

const headers: KernelCase[] = [
  { name: "lower case digits", make: (c) => c.file("f", "x", { uid: 0xabc, gid: 0xdef }) },
  { name: "upper case digits", make: (c) => c.file("f", "x", { uid: 0xabc, gid: 0xdef, upperCase: true }) },
  {
    name: "mixed magics",
    make: (c) =>
      join(
        c.file("a", "one"),
        c.file("b", "two", { magic: "070702", checksum: sumOf("two") }),
        c.file("c", "3"),
      ),
  },
  {
    name: "0x before digits",
    make: (c) => join(c.file("f", "", { text: { uid: "0x00007B" } }), c.file("g")),
  },
  {
    name: "0X before digits",
    make: (c) => join(c.file("f", "", { text: { gid: "0X00007b" } }), c.file("g")),
  },
  {
    name: "0x without digits",
    make: (c) => join(c.file("f", "", { text: { uid: "0x      " } }), c.file("g")),
  },
  {
    name: "blanks before digits",
    make: (c) => join(c.file("f", "", { text: { uid: "      7B" } }), c.file("g")),
  },
  {
    name: "blanks after digits",
    make: (c) => join(c.file("f", "", { text: { uid: "7B      " } }), c.file("g")),
  },
  {
    name: "no digits at all",
    make: (c) => join(c.file("f", "", { text: { mtime: "zzzzzzzz" } }), c.file("g")),
  },
  {
    name: "digits with a sign",
    make: (c) => join(c.file("f", "", { text: { gid: "-0000001" } }), c.file("g")),
  },
  {
    name: "a NUL in digits",
    make: (c) => join(c.file("f", "", { text: { uid: "12\0\0\0\0\0\0" } }), c.file("g")),
  },
  {
    name: "an unreadable checksum",
    make: (c) => join(c.file("f", "", { text: { checksum: "????????" } }), c.file("g")),
  },
  {
    name: "old magic 070707",
    make: (c) => join(c.file("f"), c.file("g", "", { magic: "070707" }), c.file("h")),
  },
  { name: "unknown magic 070703", make: (c) => join(c.file("f"), c.file("g", "", { magic: "070703" })) },
  {
    name: "a magic that begins with zero only",
    make: (c) => join(c.file("f"), c.file("g", "", { magic: "0zzzzz" })),
  },
  {
    name: "largest owner numbers but one",
    make: (c) => c.file("f", "", { uid: 0xffff_fffe, gid: 0xffff_fffe }),
  },
  { name: "owner -1 keeps the owner", make: (c) => c.file("f", "", { uid: 0xffff_ffff, gid: 0xffff_ffff }) },
  { name: "mode above 16 bits", make: (c) => c.file("f", "", { mode: (0xfff1_0000 | REG | 0o640) >>> 0 }) },
  {
    name: "mtime at the ends",
    make: (c) => join(c.file("f", "", { mtime: 0 }), c.file("g", "", { mtime: 0xffff_ffff })),
  },
];

const names: KernelCase[] = [
  {
    name: "name size 0",
    make: (c) => join(entry({ name: "", namesize: 0, nuls: 0 }), c.file("g")),
  },
  {
    name: "name size 0 with the name there",
    make: (c) => join(c.file("e"), c.file("f", "", { namesize: 0 }), c.file("g")),
  },
  { name: "name size 1, empty name, file", make: (c) => join(entry({ name: "", data: "x" }), c.file("g")) },
  {
    name: "name size 1, empty name, other types",
    make: (c) =>
      join(
        entry({ name: "", mode: DIR | 0o750, uid: 3 }),
        entry({ name: "", mode: CHR | 0o604 }),
        entry({ name: "", mode: LNK | 0o777, data: "t", gid: 4 }),
        c.file("g"),
      ),
  },
  { name: "name size huge", make: (c) => join(c.file("f", "", { namesize: 0xffff_ffff }), c.file("g")) },
  {
    name: "name of 4095 bytes with missing directories",
    make: (c) => c.file(longPath(4095 - c.dir.length - 1)),
  },
  {
    name: "slashes up to 4095 bytes",
    make: (c) => c.directory(`d${long(4095 - c.dir.length - 2, "/")}`),
  },
  {
    name: "slashes up to 4096 bytes",
    make: (c) => join(c.directory(`d${long(4096 - c.dir.length - 2, "/")}`), c.file("g")),
  },
  {
    name: "padding to 4096 in the name",
    make: (c) => join(c.file("f", "data", { nuls: 4096 - c.dir.length - 2 }), c.file("g")),
  },
  {
    name: "padding to 4097 in the name",
    make: (c) => join(c.file("f", "data", { nuls: 4097 - c.dir.length - 2 }), c.file("g")),
  },
  {
    name: "data aligned by NULs in the name",
    make: (c) => c.file("aligned", long(5000, "a"), { nuls: 3000 }),
  },
  { name: "bytes behind the name's NUL", make: (c) => c.entry({ name: Buffer.from("f\0junk"), data: "x" }) },
  { name: "component of 255 bytes", make: (c) => c.file(long(255)) },
  { name: "component of 256 bytes", make: (c) => join(c.file(long(256)), c.file("g")) },
  {
    name: "directory component of 256 bytes",
    make: (c) => join(c.directory(long(256)), c.file(`${long(256)}/f`)),
  },
  {
    name: "name without a NUL",
    make: (c) => join(c.file("f"), c.file("nonulhere", "", { nuls: 0 }), c.file("g")),
  },
  {
    name: "symlink name without a NUL",
    make: (c) => join(c.file("f"), c.symlink("nonulhere", "t", { nuls: 0 }), c.file("g")),
  },
  { name: "name with newline, blank, tab, backslash", make: (c) => c.file("a\n b\tc\\d") },
  {
    name: "name that is not UTF-8",
    make: (c) => c.entry({ name: Buffer.from([0x66, 0xff, 0xc3, 0x28, 0x01]) }),
  },
  { name: "name with ./ and // in it", make: (c) => join(c.directory("d"), c.file("d/.//./f")) },
  { name: "absolute name", make: (c) => c.file(`/${c.dir}/f`, "x") },
  { name: "dot-dot in a name", make: (c) => join(c.directory("d"), c.file("d/../f", "x")) },
  { name: "dot-dot above the root", make: (c) => c.file(`/../../${c.dir}/f`, "x") },
  { name: "dot-dot through what is missing", make: (c) => c.file("none/../f", "x") },
  { name: "dot-dot through a file", make: (c) => join(c.file("f"), c.file("f/../g", "x")) },
  { name: "name ends in a slash: file", make: (c) => c.file("f/", "x") },
  { name: "name ends in a slash: directory", make: (c) => c.directory("d/") },
  {
    name: "name ends in a slash: node",
    make: (c) => c.entry({ name: "n/", mode: CHR | 0o600, rmajor: 1, rminor: 3 }),
  },
  { name: "name ends in a slash: symlink", make: (c) => c.symlink("l/", "t") },
  {
    name: "name ends in dot",
    make: (c) => join(c.directory("d"), c.directory("d/.", { mode: DIR | 0o700 }), c.file("d/.")),
  },
  {
    name: "name ends in dot-dot",
    make: (c) => join(c.directory("d"), c.directory("d/..", { mode: DIR | 0o711 }), c.symlink("d/..", "x")),
  },
  {
    name: "a file named like the root",
    make: (c) => join(c.entry({ name: "/", data: "x" }), c.entry({ name: "//." })),
  },
  {
    name: "root's mode and owner",
    make: () =>
      join(entry({ name: ".", mode: DIR | 0o711, uid: 3 }), entry({ name: "/", mode: DIR | 0o1711, gid: 4 })),
  },
  { name: "file below a file", make: (c) => join(c.file("f"), c.file("f/g", "x"), c.directory("f/d")) },
];

const data: KernelCase[] = [
  ...[0, 1, 2, 3, 4, 5].map((size) => ({
    name: `${size} bytes of data`,
    make: (c: Parameters<KernelCase["make"]>[0]) => join(c.file("f", long(size)), c.file("g")),
  })),
  {
    name: "data that look like an archive",
    make: (c) => join(c.file("f", c.file("inner", "x")), c.file("g")),
  },
  {
    name: "100 kB of data",
    make: (c) =>
      c.file(
        "f",
        new Uint8Array(100_003).map((_, index) => index * 7),
      ),
  },
  {
    name: "checksum is right",
    make: (c) => c.file("f", "ASDF", { magic: "070702", checksum: sumOf("ASDF") }),
  },
  {
    name: "checksum is wrong",
    make: (c) => join(c.file("f", "ASDF", { magic: "070702", checksum: sumOf("ASDF") - 1 }), c.file("g")),
  },
  { name: "checksum is ignored in 070701", make: (c) => c.file("f", "ASDF", { checksum: 5555 }) },
  {
    name: "checksum of bytes above 127",
    make: (c) => c.file("f", Buffer.alloc(999, 0xff), { magic: "070702", checksum: 999 * 255 }),
  },
  {
    name: "checksum without data",
    make: (c) => join(c.file("f", "", { magic: "070702", checksum: 7 }), c.file("g")),
  },
  {
    name: "checksum of a directory is not looked at",
    make: (c) => c.directory("d", { magic: "070702", checksum: 7 }),
  },
  {
    name: "checksum of a symlink is not looked at",
    make: (c) => c.symlink("l", "t", { magic: "070702", checksum: 7 }),
  },
  {
    name: "checksum where the file can't be made",
    make: (c) => c.file("none/f", "ASDF", { magic: "070702", checksum: 7 }),
  },
  { name: "directory with data", make: (c) => join(c.directory("d", { data: "xyz" }), c.file("g")) },
  {
    name: "device with data",
    make: (c) => join(c.entry({ name: "n", mode: CHR | 0o600, data: "xyz" }), c.file("g")),
  },
  { name: "data beyond the end", make: (c) => c.file("f", "short", { filesize: 100 }) },
  { name: "data far beyond the end", make: (c) => c.file("f", "short", { filesize: 0xffff_ffff }) },
  { name: "end inside a header", make: (c) => join(c.file("f"), c.file("g").subarray(0, 50)) },
  { name: "end inside a name", make: (c) => join(c.file("f"), c.file("g").subarray(0, 112)) },
  {
    name: "end inside a symlink's target",
    make: (c) => join(c.file("f"), c.symlink("l", "target").subarray(0, -4)),
  },
  { name: "end without the last padding", make: (c) => c.file("f", "12345", { unpadded: true }) },
  {
    name: "end inside what is skipped",
    make: (c) => join(c.file("f"), c.directory("d", { data: "12345", unpadded: true })),
  },
];

const modes: KernelCase[] = [
  {
    name: "set-user-id, set-group-id, sticky file",
    make: (c) => c.file("f", "x", { mode: REG | 0o7755, uid: 5, gid: 6 }),
  },
  { name: "set-user-id without data", make: (c) => c.file("f", "", { mode: REG | 0o4711, uid: 5 }) },
  {
    name: "odd directory modes",
    make: (c) =>
      join(
        c.directory("a", { mode: DIR | 0o7000 }),
        c.directory("b", { mode: DIR | 0o1777 }),
        c.directory("c", { mode: DIR }),
      ),
  },
  {
    name: "directory without rights takes files",
    make: (c) => join(c.directory("d", { mode: DIR }), c.file("d/f", "x")),
  },
  {
    name: "set-group-id directory gives its group",
    make: (c) =>
      join(
        c.directory("d", { mode: DIR | 0o2755, gid: 77 }),
        c.file("d/f", "", { gid: 0xffff_ffff }),
        c.directory("d/e", { gid: 0xffff_ffff }),
        c.symlink("d/l", "t", { gid: 0xffff_ffff }),
        c.file("d/g"),
      ),
  },
  { name: "modes of symlinks", make: (c) => c.symlink("l", "t", { mode: LNK | 0o4600, uid: 3, gid: 4 }) },
  {
    name: "all nodes",
    make: (c) =>
      join(
        c.entry({ name: "c", mode: CHR | 0o640, rmajor: 1, rminor: 3, uid: 1 }),
        c.entry({ name: "b", mode: BLK | 0o660, rmajor: 7, rminor: 0, gid: 6 }),
        c.entry({ name: "p", mode: FIFO | 0o4622, rmajor: 1, rminor: 3 }),
        c.entry({ name: "s", mode: SOCK | 0o755, rmajor: 9 }),
      ),
  },
  {
    name: "device numbers at their limits",
    make: (c) =>
      join(
        c.entry({ name: "a", mode: CHR | 0o600, rmajor: 4095, rminor: 0xf_ffff }),
        c.entry({ name: "b", mode: CHR | 0o600, rmajor: 4096, rminor: 1 }),
        c.entry({ name: "c", mode: BLK | 0o600, rmajor: 1, rminor: 0x10_0000 }),
        c.entry({ name: "d", mode: BLK | 0o600, rmajor: 0xffff_ffff, rminor: 0xffff_ffff }),
        c.entry({ name: "e", mode: CHR | 0o600 }),
      ),
  },
  ...[0, 0o030000, 0o050000, 0o070000, 0o110000, 0o130000, 0o150000, 0o160000, 0o170000].map((type) => ({
    name: `type ${type.toString(8)}`,
    make: (c: Parameters<KernelCase["make"]>[0]) =>
      join(c.entry({ name: "f", mode: type | 0o644 }), c.file("g")),
  })),
  {
    name: "an unknown type with data",
    make: (c) => join(c.entry({ name: "f", mode: 0o644, data: "x" }), c.file("g")),
  },
  {
    name: "an unknown type removes what is there",
    make: (c) =>
      join(
        c.file("f", "x"),
        c.directory("d"),
        c.entry({ name: "f", mode: 0o644 }),
        c.entry({ name: "d", mode: 0o755 }),
      ),
  },
  {
    name: "trailers of other types",
    make: (c) =>
      join(
        c.entry({ name: "/TRAILER!!!", mode: DIR | 0o755 }),
        c.entry({ name: "TRAILER!!!", mode: DIR | 0o755 }),
        c.symlink("/TRAILER!!!", c.dir),
        trailer(),
      ),
  },
];

export const ENTRY_CASES: readonly KernelCase[] = [...headers, ...names, ...data, ...modes];
