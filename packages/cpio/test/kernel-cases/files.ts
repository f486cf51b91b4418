/** What entries do to each other: links, duplicates, parents, symlinks. */
import type { Corner, KernelCase } from "./kernel-case.ts";
import { BLK, CHR, DIR, FIFO, join, SOCK, sumOf, trailer } from "./segment.ts";

const two = (c: Corner, more: object = {}, second: object = {}): Uint8Array =>
  join(
    c.file("a", "", { ino: 5, nlink: 2, ...more }),
    c.file("b", "data", { ino: 5, nlink: 2, ...more, ...second }),
  );
const device = (c: Corner, name: string, more: object = {}): Uint8Array =>
  c.entry({ name, mode: CHR | 0o600, rmajor: 1, rminor: 3, ...more });

const links: KernelCase[] = [
  { name: "link: data at the last name", make: (c) => two(c) },
  {
    name: "link: data at the first name",
    make: (c) => join(c.file("a", "data", { ino: 5, nlink: 2 }), c.file("b", "", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: data at every name",
    make: (c) =>
      join(
        c.file("a", "first data", { ino: 5, nlink: 3 }),
        c.file("b", "second", { ino: 5, nlink: 3 }),
        c.file("c", "a third time, longer", { ino: 5, nlink: 3 }),
      ),
  },
  {
    name: "link: owner and mode of the last",
    make: (c) =>
      join(
        c.file("a", "x", { ino: 5, nlink: 2, uid: 1, mode: 0o100600 }),
        c.file("b", "", { ino: 5, nlink: 2, uid: 2, mode: 0o104755 }),
      ),
  },
  { name: "link: count 1", make: (c) => two(c, { nlink: 1 }) },
  { name: "link: count 0", make: (c) => two(c, { nlink: 0 }) },
  { name: "link: count 1 at the second name", make: (c) => two(c, {}, { nlink: 1 }) },
  { name: "link: count that lies", make: (c) => two(c, { nlink: 0xffff_ffff }) },
  { name: "link: other device", make: (c) => two(c, {}, { minor: 9 }) },
  { name: "link: other inode number", make: (c) => two(c, {}, { ino: 6 }) },
  {
    name: "link: inode numbers that meet in the hash",
    make: (c) =>
      join(two(c), c.file("c", "x", { ino: 5 + 32, nlink: 2 }), c.file("d", "", { ino: 5 + 32, nlink: 2 })),
  },
  {
    name: "link: other type",
    make: (c) => join(c.file("a", "x", { ino: 5, nlink: 2 }), device(c, "b", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: trailer between",
    make: (c) =>
      join(c.file("a", "", { ino: 5, nlink: 2 }), trailer(), c.file("b", "data", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: across archives without a trailer",
    make: (c) =>
      join(
        c.file("a", "", { ino: 5, nlink: 2 }),
        new Uint8Array(16),
        c.file("b", "data", { ino: 5, nlink: 2 }),
      ),
  },
  {
    name: "link: the same name twice",
    make: (c) => join(c.file("a", "x", { ino: 5, nlink: 2 }), c.file("a", "y", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: devices",
    make: (c) =>
      join(device(c, "a", { ino: 5, nlink: 2 }), device(c, "b", { ino: 5, nlink: 2, rminor: 9, uid: 9 })),
  },
  {
    name: "link: the same device twice",
    make: (c) => join(device(c, "a", { ino: 5, nlink: 2 }), device(c, "a", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: fifos and sockets",
    make: (c) =>
      join(
        ...[FIFO, SOCK].flatMap((type) =>
          ["a", "b"].map((name) => c.entry({ name: `${name}${type}`, mode: type | 0o644, ino: 5, nlink: 2 })),
        ),
      ),
  },
  {
    name: "link: symlinks are never linked",
    make: (c) => join(c.symlink("a", "t", { ino: 5, nlink: 2 }), c.symlink("b", "t", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: directories are never linked",
    make: (c) => join(c.directory("a", { ino: 5, nlink: 3 }), c.directory("b", { ino: 5, nlink: 3 })),
  },
  {
    name: "link: first name could not be made",
    make: (c) => join(c.file("none/a", "x", { ino: 5, nlink: 2 }), c.file("b", "y", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: first name became a directory",
    make: (c) =>
      join(c.file("a", "x", { ino: 5, nlink: 2 }), c.directory("a"), c.file("b", "y", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: first name became another file",
    make: (c) =>
      join(
        c.file("a", "x", { ino: 5, nlink: 2 }),
        c.file("a", "new", { ino: 7 }),
        c.file("b", "", { ino: 5, nlink: 2 }),
      ),
  },
  {
    name: "link: first name became a symlink",
    make: (c) =>
      join(
        c.file("t", "old target data"),
        c.file("a", "x", { ino: 5, nlink: 2 }),
        c.symlink("a", "t"),
        c.file("b", "new", { ino: 5, nlink: 2, mode: 0o100600 }),
      ),
  },
  {
    name: "link: first name became a symlink to nothing",
    make: (c) =>
      join(
        c.file("a", "x", { ino: 5, nlink: 2 }),
        c.symlink("a", "made"),
        c.file("b", "new", { ino: 5, nlink: 2 }),
      ),
  },
  {
    name: "link: first name became a symlink to a directory",
    make: (c) =>
      join(
        c.directory("t"),
        c.file("a", "x", { ino: 5, nlink: 2 }),
        c.symlink("a", "t"),
        c.file("b", "new", { ino: 5, nlink: 2 }),
      ),
  },
  {
    name: "link: first name became a socket",
    make: (c) =>
      join(
        c.file("a", "x", { ino: 5, nlink: 2 }),
        c.entry({ name: "a", mode: SOCK | 0o600 }),
        c.file("b", "new", { ino: 5, nlink: 2 }),
      ),
  },
  {
    name: "link: second name has no directory",
    make: (c) => join(c.file("a", "x", { ino: 5, nlink: 2 }), c.file("none/b", "y", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: second name is a directory that is not empty",
    make: (c) =>
      join(
        c.file("a", "x", { ino: 5, nlink: 2 }),
        c.directory("b"),
        c.file("b/f"),
        c.file("b", "y", { ino: 5, nlink: 2 }),
      ),
  },
  {
    name: "link: second name is an empty directory",
    make: (c) =>
      join(c.file("a", "x", { ino: 5, nlink: 2 }), c.directory("b"), c.file("b", "y", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: second name replaces a file",
    make: (c) =>
      join(c.file("a", "x", { ino: 5, nlink: 2 }), c.file("b", "old"), c.file("b", "", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: through a symlinked directory",
    make: (c) =>
      join(
        c.directory("d"),
        c.symlink("l", "d"),
        c.file("l/a", "x", { ino: 5, nlink: 2 }),
        c.file("b", "", { ino: 5, nlink: 2 }),
      ),
  },
  {
    name: "link: crc, the sum at the empty name too",
    make: (c) =>
      join(
        c.file("a", "data", { ino: 5, nlink: 2, magic: "070702", checksum: sumOf("data") }),
        c.file("b", "", { ino: 5, nlink: 2, magic: "070702", checksum: sumOf("data") }),
        c.file("g"),
      ),
  },
  {
    name: "link: a name in between with a slash",
    make: (c) => join(c.file("a", "x", { ino: 5, nlink: 2 }), c.file("b/", "", { ino: 5, nlink: 2 })),
  },
  {
    name: "link: a hundred names",
    make: (c) =>
      join(
        ...Array.from({ length: 100 }, (_, index) =>
          c.file(`n${index}`, index === 50 ? "data" : "", { ino: 5, nlink: 100 }),
        ),
      ),
  },
];

const places: KernelCase[] = [
  {
    name: "twice: file, the last wins",
    make: (c) => join(c.file("f", "first, longer", { uid: 1 }), c.file("f", "second", { mode: 0o100755 })),
  },
  { name: "twice: file, the last is empty", make: (c) => join(c.file("f", "first"), c.file("f")) },
  {
    name: "twice: directory, the last mode wins",
    make: (c) =>
      join(
        c.directory("d", { mtime: 5 }),
        c.file("d/f", "x"),
        c.directory("d", { mode: DIR | 0o700, uid: 8, mtime: 6 }),
      ),
  },
  { name: "twice: symlink, the last wins", make: (c) => join(c.symlink("l", "one"), c.symlink("l", "two")) },
  {
    name: "twice: device, the first number stays",
    make: (c) => join(device(c, "n"), device(c, "n", { rminor: 5, mode: CHR | 0o644, uid: 3 })),
  },
  { name: "file over empty directory", make: (c) => join(c.directory("d"), c.file("d", "x")) },
  {
    name: "file over directory",
    make: (c) => join(c.directory("d"), c.file("d/f"), c.file("d", "x", { uid: 4 })),
  },
  {
    name: "file over symlink",
    make: (c) => join(c.file("t", "kept"), c.symlink("l", "t"), c.file("l", "x")),
  },
  {
    name: "file over device, fifo, socket",
    make: (c) =>
      join(
        device(c, "a"),
        c.entry({ name: "b", mode: FIFO | 0o600 }),
        c.entry({ name: "c", mode: SOCK | 0o600 }),
        ...["a", "b", "c"].map((name) => c.file(name, "x")),
      ),
  },
  {
    name: "directory over file and symlink",
    make: (c) =>
      join(
        c.file("f", "x"),
        c.directory("t"),
        c.symlink("l", "t"),
        c.directory("f"),
        c.directory("l"),
        c.file("l/x"),
      ),
  },
  { name: "symlink over empty directory", make: (c) => join(c.directory("d"), c.symlink("d", "t")) },
  {
    name: "symlink over directory takes its owner",
    make: (c) => join(c.directory("d"), c.file("d/f"), c.symlink("d", "t", { uid: 7, gid: 8 })),
  },
  { name: "symlink over file", make: (c) => join(c.file("f", "x"), c.symlink("f", "t")) },
  {
    name: "device over directory takes owner and mode",
    make: (c) => join(c.directory("d"), c.file("d/f"), device(c, "d", { mode: CHR | 0o4601, uid: 7 })),
  },
  {
    name: "block over character device",
    make: (c) => join(device(c, "n"), c.entry({ name: "n", mode: BLK | 0o600, rmajor: 8 })),
  },
  {
    name: "directory comes later",
    make: (c) => join(c.file("d/f", "x"), c.directory("d"), c.file("d/g", "y")),
  },
  {
    name: "directory never comes",
    make: (c) => join(c.file("d/f", "x"), c.directory("d/e"), device(c, "d/n"), c.symlink("d/l", "t")),
  },
  {
    name: "parent is a symlink to a directory",
    make: (c) =>
      join(c.directory("usr"), c.directory("usr/bin"), c.symlink("bin", "usr/bin"), c.file("bin/sh", "x")),
  },
  {
    name: "parent is an absolute symlink",
    make: (c) => join(c.directory("t"), c.symlink("l", `/${c.dir}/t`), c.file("l/f", "x")),
  },
  {
    name: "parent is a symlink above the root",
    make: (c) => join(c.directory("t"), c.symlink("l", `../../../${c.dir}/t`), c.file("l/f", "x")),
  },
  {
    name: "parent is a symlink to nothing",
    make: (c) => join(c.symlink("l", "t"), c.file("l/f", "x"), c.directory("t"), c.file("l/g", "y")),
  },
  {
    name: "parent is a symlink to a file",
    make: (c) => join(c.file("t"), c.symlink("l", "t"), c.file("l/f", "x")),
  },
  { name: "parent is a symlink to itself", make: (c) => join(c.symlink("l", "l"), c.file("l/f", "x")) },
  {
    name: "40 symlinks on the way",
    make: (c) =>
      join(
        c.directory("d"),
        c.symlink("l1", "d"),
        ...Array.from({ length: 40 }, (_, n) => c.symlink(`l${n + 2}`, `l${n + 1}`)),
        c.file("l40/f", "x"),
        c.file("l41/g", "x"),
      ),
  },
  {
    name: "a directory entry through symlink and slash",
    make: (c) =>
      join(c.directory("t"), c.symlink("l", "t"), c.directory("l/", { mode: DIR | 0o700, uid: 9 })),
  },
  {
    name: "a file entry through symlink and slash",
    make: (c) => join(c.directory("t"), c.symlink("l", "t"), c.file("l/", "x"), c.file("l/.", "x")),
  },
  {
    name: "symlink with an empty target",
    make: (c) => join(c.symlink("l", ""), c.file("l/f", "x"), c.file("g")),
  },
  { name: "symlink target with NULs", make: (c) => c.symlink("l", "target\0more") },
  {
    name: "symlink target of 4094, 4095, 4096, 4097 bytes",
    make: (c) =>
      join(...[4094, 4095, 4096, 4097].map((size) => c.symlink(`l${size}`, "t".repeat(size))), c.file("g")),
  },
  {
    name: "symlink target that ends in a slash",
    make: (c) => join(c.directory("t"), c.symlink("l", "t///"), c.file("l/f", "x")),
  },
  { name: "symlink to the root", make: (c) => join(c.symlink("l", "/"), c.file(`l/${c.dir}/f`, "x")) },
  {
    name: "a deep tree",
    make: (c) => join(...Array.from({ length: 60 }, (_, depth) => c.directory("d/".repeat(depth + 1)))),
  },
  {
    name: "times of directories",
    make: (c) =>
      join(
        c.directory("a", { mtime: 11 }),
        c.file("a/f", "x", { mtime: 12 }),
        c.directory("a/b", { mtime: 13 }),
        c.symlink("a/l", "t", { mtime: 14 }),
        c.directory("a", { mtime: 15 }),
      ),
  },
];

export const FILE_CASES: readonly KernelCase[] = [...links, ...places];
