import {
  decodeCpio,
  findKernelFile,
  type KernelDecompress,
  type KernelInode,
  listKernelTree,
  unpackAsKernel,
} from "../../src/index.ts";
import { corner } from "../kernel-cases/kernel-case.ts";
import { damage, type Pack, randomArchive } from "../kernel-cases/random-case.ts";
import { join } from "../kernel-cases/segment.ts";
import { type Random, randomFrom } from "../random.ts";

const KERNELS = ["6.1", "6.12.117", "6.15", "7.1", "7.2", "7.3"];
const MAGICS = [
  [0x1f, 0x8b],
  [0x42, 0x5a],
  [0x5d, 0x00],
  [0xfd, 0x37],
  [0x89, 0x4c],
  [0x02, 0x21],
  [0x28, 0xb5],
] as const;

/** A member that a toy decompressor reads: the magic, a length, the data as they are. */
const toyPack: Pack = (archive, random) => {
  const head = Buffer.alloc(6);
  head.set(random.pick(MAGICS));
  head.writeUInt32LE(archive.length, 2);
  return join(head, archive);
};

function toyDecompress(random: Random, seen: { bytes: number }): KernelDecompress {
  return (_, bytes) => {
    const length = bytes.length < 6 ? 0 : Buffer.from(bytes).readUInt32LE(2);
    const data = bytes.subarray(6, 6 + length);
    const pieces: Uint8Array[] = [];
    for (let start = 0; start < data.length;) {
      // Copies, as a decompressor would make them; cut anywhere, also to nothing.
      const piece = data.slice(start, start + random.int(random.pick([3, 50, 5000])));
      pieces.push(piece);
      start += piece.length;
    }
    seen.bytes += data.length;
    const consumed = 6 + length + (random.int(20) === 0 ? 8 : 0);
    return random.int(20) === 0 ? { pieces, consumed, error: "toy error" } : { pieces, consumed };
  };
}

/** What holds for each tree, whatever it was made from. */
function checkTree(entries: readonly { readonly path: string; readonly inode: KernelInode }[]): void {
  const names = new Map<KernelInode, number>();
  for (const { inode } of entries) names.set(inode, (names.get(inode) ?? 0) + 1);
  for (const [inode, count] of names) {
    const children = [...(inode.entries?.values() ?? [])].filter(({ type }) => type === "directory").length;
    const wanted = inode.type === "directory" ? 2 + children : count;
    if (inode.nlink !== wanted) throw new Error(`A ${inode.type} has nlink ${inode.nlink}, wanted ${wanted}`);
    const stored = inode.data.reduce((sum, { length }) => sum + length, 0);
    if (stored > inode.size) throw new Error(`A file of ${inode.size} bytes holds ${stored}`);
  }
  if (new Set([...names.keys()].map(({ id }) => id)).size !== names.size)
    throw new Error("Two files have one id");
}

function strictlyRight(image: Uint8Array): boolean {
  try {
    decodeCpio(image);
    return true;
  } catch {
    return false;
  }
}

/** A random image for the kernel mode, damaged or not; tells how it ended. */
export function kernelRound(seed: number): string {
  const random = randomFrom(seed);
  const c = corner(".", 1);
  const archive = randomArchive(c, random, toyPack);
  const image = random.int(3) === 0 ? archive : damage(archive, random);
  const seen = { bytes: 0 };
  const result = unpackAsKernel(image, {
    kernel: random.pick(KERNELS),
    keepTimes: random.int(2) === 0,
    maxDiagnostics: random.pick([0, 2, 1000]),
    ...(random.int(6) === 0 ? {} : { decompress: toyDecompress(random, seen) }),
  });
  const entries = [...listKernelTree(result.tree)];
  checkTree(entries);
  if (entries.length > 4 + (image.length + seen.bytes) / 110)
    throw new Error("There are more files than entries");
  for (let tries = 0; tries < 5; tries++)
    findKernelFile(result.tree, random.pick(["l/a", "m/l/b", "a/../b/..", "l/l/l", "/c"]));
  if (result.failure !== undefined && strictlyRight(image)) {
    throw new Error(`The kernel refuses what is right: ${result.failure.message}`);
  }
  return result.failure?.message ?? (result.complete ? "ok" : "incomplete");
}
