/** What lies between archives: zeros, trailers, compressed members, junk; and the cases of init/initramfs_test.c. */
import type { Corner, KernelCase } from "./kernel-case.ts";
import { COMPRESSIONS, member, remember } from "./members.ts";
import { entry, join, padded, REG, sumOf, trailer, zeros } from "./segment.ts";

const between: KernelCase[] = [
  { name: "no trailer", make: (c) => c.file("f", "x") },
  {
    name: "entries after a trailer",
    make: (c) => join(c.file("f"), trailer(), c.file("g"), trailer(), trailer(), c.file("h")),
  },
  { name: "zeros between, aligned", make: (c) => join(c.file("f"), trailer(), zeros(4 * 33), c.file("g")) },
  ...[1, 2, 3, 5].map((count) => ({
    name: `${count} zeros between`,
    make: (c: Corner) => join(c.file("f"), trailer(), zeros(count), c.file("g")),
  })),
  { name: "zeros before the first archive", make: (c) => join(zeros(8), c.file("f")) },
  { name: "zeros between entries", make: (c) => join(c.file("f"), zeros(20), c.file("g")) },
  { name: "unaligned zeros between entries", make: (c) => join(c.file("f"), zeros(21), c.file("g")) },
  { name: "junk after a trailer", make: (c) => join(c.file("f"), trailer(), "junk") },
  { name: "junk after zeros", make: (c) => join(c.file("f"), trailer(), zeros(8), "junk") },
  { name: "unaligned junk after zeros", make: (c) => join(c.file("f"), trailer(), zeros(5), "junk") },
  { name: "one byte of junk", make: (c) => join(c.file("f"), trailer(), "j") },
  { name: "a zero digit only", make: (c) => join(c.file("f"), trailer(), "0") },
  { name: "an ELF file", make: (c) => join(c.file("f"), trailer(), Buffer.from([0x7f]), "ELF") },
  { name: "a tar archive", make: (c) => join(c.file("f"), trailer(), padded(join("name"), 512)) },
  {
    name: "a trailer with data",
    make: (c) => join(c.file("f"), c.entry({ name: "/x", mode: REG }), trailer(), c.file("g")),
  },
];

const archiveIn = (c: Corner, name: string, data: string | Uint8Array = name): Uint8Array =>
  join(c.file(name, data), trailer());

const compressed: KernelCase[] = [
  ...COMPRESSIONS.flatMap((format): KernelCase[] => [
    { name: `${format}: one member`, make: (c) => padded(member(format, archiveIn(c, "f"))) },
    {
      name: `${format}: 100 kB`,
      make: (c) => padded(member(format, archiveIn(c, "f", Buffer.alloc(100_000, "0123456789")))),
    },
    {
      name: `${format}: an archive after it`,
      make: (c) => join(padded(member(format, archiveIn(c, "f"))), archiveIn(c, "g")),
    },
    { name: `${format}: no trailer inside`, make: (c) => padded(member(format, c.file("f", "x"))) },
    {
      name: `${format}: zeros inside, several archives`,
      make: (c) => padded(member(format, join(archiveIn(c, "f"), zeros(512), archiveIn(c, "g"), zeros(3)))),
    },
    {
      name: `${format}: cut off archive inside`,
      make: (c) => padded(member(format, c.file("f", "data").subarray(0, -6))),
    },
  ]),
  ...(["gzip", "xz", "zstd", "bzip2", "lzma", "lzo"] as const).flatMap((format): KernelCase[] => [
    {
      name: `${format}: two members`,
      make: (c) => padded(join(member(format, archiveIn(c, "f")), member(format, archiveIn(c, "g")))),
    },
  ]),
  {
    name: "gzip: an archive in two members",
    make: (c) => {
      const archive = archiveIn(c, "f", "data");
      return join(member("gzip", archive.subarray(0, 60)), member("gzip", archive.subarray(60)));
    },
  },
  {
    name: "gzip: unaligned archive after it",
    make: (c) => {
      const bytes = member("gzip", archiveIn(c, "f"));
      return join(bytes, zeros((5 - (bytes.length % 4)) % 4), archiveIn(c, "g"));
    },
  },
  { name: "gzip: junk inside", make: (c) => member("gzip", join(archiveIn(c, "f"), "junk")) },
  {
    name: "gzip: unaligned junk inside",
    make: (c) => member("gzip", join(archiveIn(c, "f"), zeros(1), "junk")),
  },
  { name: "gzip: junk only", make: (c) => join(c.file("f"), member("gzip", join("junk"))) },
  {
    name: "gzip: nothing inside",
    make: (c) => join(c.file("f"), padded(member("gzip", zeros(0))), c.file("g")),
  },
  {
    name: "gzip: zeros only inside",
    make: (c) => join(c.file("f"), padded(member("gzip", zeros(7))), c.file("g")),
  },
  {
    name: "gzip: an archive for GNU's old format inside",
    make: (c) => member("gzip", c.file("f", "", { magic: "070707" })),
  },
  { name: "gzip: a member inside a member", make: (c) => member("gzip", member("gzip", archiveIn(c, "f"))) },
  {
    name: "gzip: header across two pieces",
    make: (c) =>
      padded(
        member(
          "gzip",
          join(c.file("f", Buffer.alloc(32768 - 60 - 120 - (c.dir.length % 4))), archiveIn(c, "g")),
        ),
      ),
  },
  {
    name: "gzip: name and target across two pieces",
    make: (c) =>
      padded(
        member(
          "gzip",
          join(
            ...Array.from({ length: 300 }, (_, index) => c.symlink(`link-${index}`, `target-of-${index}`)),
            trailer(),
          ),
        ),
      ),
  },
  {
    name: "gzip: skipped entries, headers whole",
    make: (c) =>
      padded(
        member(
          "gzip",
          join(
            c.file("a"),
            c.directory("d", { data: "xyz" }),
            c.symlink("l", Buffer.alloc(5000, "t")),
            entry({ name: "", namesize: 0, nuls: 0 }),
            archiveIn(c, "g"),
          ),
        ),
      ),
  },
  {
    name: "xz: a skipped entry whose header lies across two pieces",
    make: (c) => {
      const filler = c.file("a", "").length;
      return padded(
        member(
          "xz",
          join(c.file("a", zeros(4096 - filler - 40)), c.directory("d", { data: "xyz" }), archiveIn(c, "g")),
        ),
      );
    },
  },
  {
    name: "hard links across members",
    make: (c) =>
      padded(
        join(
          member("zstd", c.file("a", "", { ino: 5, nlink: 2 })),
          member("gzip", c.file("b", "data", { ino: 5, nlink: 2 })),
        ),
      ),
  },
  {
    name: "hard links across members with a trailer",
    make: (c) =>
      padded(
        join(
          member("zstd", join(c.file("a", "", { ino: 5, nlink: 2 }), trailer())),
          member("gzip", c.file("b", "data", { ino: 5, nlink: 2 })),
        ),
      ),
  },
  {
    name: "lz4: two members are read as one",
    make: (c) => {
      const [one, other] = [archiveIn(c, "f"), archiveIn(c, "g")];
      const bytes = join(member("lz4", one).subarray(0, -4), member("lz4", other));
      return padded(remember(bytes, { pieces: [one, other], consumed: bytes.length - 4 }));
    },
  },
  {
    name: "not gzip at all",
    make: (c) => {
      const bytes = new Uint8Array(64).fill(0x55);
      bytes.set([0x1f, 0x8b]);
      return join(c.file("f"), remember(bytes, { pieces: [], consumed: 0, error: "Not a gzip file" }));
    },
  },
  {
    name: "gzip's other magic",
    make: (c) => {
      const bytes = new Uint8Array(64).fill(0x55);
      bytes.set([0x1f, 0x9e]);
      return join(c.file("f"), remember(bytes, { pieces: [], consumed: 0, error: "Not a gzip file" }));
    },
  },
];

/** The nine cases of the kernel's own suite, made anew from what they are about. */
const kunit: KernelCase[] = [
  {
    name: "kunit extract",
    make: (c) =>
      join(
        c.file("f", "", { ino: 1, mode: REG | 0o777, uid: 12, gid: 34, mtime: 56, minor: 1 }),
        c.directory("d", { ino: 2, nlink: 1, mtime: 57, minor: 1, mode: 0o040777 }),
        trailer(),
      ),
  },
  {
    name: "kunit fname_overrun",
    make: (c) => {
      const bytes = c.file("fname_overrun", "", { mode: REG | 0o777, minor: 1 }).slice();
      for (let index = bytes.length - 1; bytes[index] === 0; index--) bytes[index] = 0x50;
      return bytes;
    },
  },
  { name: "kunit data", make: (c) => c.file("f", "ASDF", { ino: 1, mode: REG | 0o777, mtime: 1 }) },
  {
    name: "kunit csum",
    make: (c) =>
      join(
        c.file("f", "ASDF", { magic: "070702", checksum: sumOf("ASDF") }),
        c.file("g", "ASDF", { checksum: 5555 }),
      ),
  },
  {
    name: "kunit csum, wrong",
    make: (c) =>
      join(
        c.file("f", "ASDF", { magic: "070702", checksum: sumOf("ASDF") - 1 }),
        c.file("g", "ASDF", { checksum: 5555 }),
      ),
  },
  {
    name: "kunit hardlink",
    make: (c) => join(c.file("f", "", { ino: 1, nlink: 2 }), c.file("g", "ASDF", { ino: 1, nlink: 2 })),
  },
  {
    name: "kunit many",
    make: (c) =>
      join(
        ...Array.from({ length: 1000 }, (_, ino) => c.file(`many-${ino}`, "", { ino, mode: REG | 0o777 })),
      ),
  },
  {
    name: "kunit fname_pad",
    make: (c) => c.file("padded", "this is aligned at 4K\0", { nuls: 4096 - 110 - c.dir.length - 7 }),
  },
  {
    name: "kunit fname_path_max",
    make: (c) =>
      join(
        c.directory(`o${"/".repeat(4096 - c.dir.length - 2)}`, { data: "not unpacked" }),
        c.directory(`k${"/".repeat(4095 - c.dir.length - 2)}`),
      ),
  },
  {
    name: "kunit hdr_hex",
    make: (c) =>
      join(
        c.file("f", "data", { text: { uid: "0x123456", gid: "0X123457" } }),
        c.directory("d", {
          text: { uid: "0x000056", namesize: `0x${(c.dir.length + 3).toString(16).padStart(6, "0")}` },
        }),
      ),
  },
];

export const ARCHIVE_CASES: readonly KernelCase[] = [...between, ...compressed, ...kunit];
