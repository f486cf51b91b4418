import { CpioError } from "../cpio-error.ts";
import type { CpioInput, CpioLinkInput, CpioSource } from "../entry.ts";
import type { ResolvedPackOptions } from "../pack-options.ts";
import { checkData, checkMode, checkName, checkTarget, checkUint32 } from "./check-input.ts";
import { quote, toBytes, UINT32_MAX } from "./layout.ts";
import type { HeaderFields } from "./write-header.ts";

/** An entry that was checked and numbered; only the checksum is still missing. */
export interface Planned {
  readonly name: Uint8Array;
  readonly fields: HeaderFields;
  readonly body: Uint8Array | CpioSource;
  /** Only the data of regular files are summed, as GNU cpio and the kernel do. */
  readonly summed: boolean;
}

interface LinkGroup {
  readonly fields: Planned["fields"];
  remaining: number;
}

export interface Planner {
  plan(input: CpioInput): Planned;
  /** Refuses to end an archive in which a link count was not kept. */
  finish(): void;
}

const EMPTY = new Uint8Array(0);
const ATTRIBUTE_TYPES = new Set(["file", "directory", "symlink", "character", "block", "fifo", "socket"]);

/** One character per byte, so that names given as text and as bytes meet. */
function nameKey(name: string | Uint8Array): string {
  let key = "";
  for (const byte of toBytes(name)) key += String.fromCharCode(byte);
  return key;
}

/** How many further names each first name has. */
function countLinks(entries: readonly CpioInput[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const entry of entries) {
    if (entry?.type !== "link") continue;
    checkName(entry.linkTo);
    const key = nameKey(entry.linkTo);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/**
 * Turns inputs into header fields. Link counts come from the archive itself: the kernel keeps a record of
 * 4 KiB and more for each file of several names, for ever if the other names never come.
 */
export function createPlanner(entries: unknown, options: ResolvedPackOptions): Planner {
  const counts = Array.isArray(entries)
    ? countLinks(entries as readonly CpioInput[])
    : new Map<string, number>();
  const groups = new Map<string, LinkGroup>();
  let nextInode = options.firstInode;

  const planLink = (input: CpioLinkInput): Planned => {
    const name = checkName(input.name);
    checkName(input.linkTo);
    const key = nameKey(input.linkTo);
    const group = groups.get(key);
    if (group === undefined) {
      throw new CpioError(
        "CPIO_LINK",
        `The hard link ${quote(input.name)} has no earlier entry ${quote(input.linkTo)} that still awaits links`,
        {
          hint: Array.isArray(entries)
            ? "Give the first name before its links; symlinks and directories can't have links"
            : 'Tell the number of names as "nlink" of the first name, or give the entries as an array',
        },
      );
    }
    if (--group.remaining === 0) groups.delete(key);
    return { name, fields: { ...group.fields, size: 0 }, body: EMPTY, summed: false };
  };

  const plan = (input: CpioInput): Planned => {
    if (typeof input !== "object" || input === null) {
      throw new CpioError("CPIO_INVALID_INPUT", `An entry must be an object, not ${String(input)}`);
    }
    if (input.type === "link") return planLink(input);
    if (!ATTRIBUTE_TYPES.has(input.type)) {
      throw new CpioError(
        "CPIO_INVALID_INPUT",
        `The type of entry ${quote(checkName(input.name))} is ${JSON.stringify(input.type)}, wanted one of ${[...ATTRIBUTE_TYPES].join(", ")}, link`,
      );
    }
    const name = checkName(input.name);
    const body =
      input.type === "file"
        ? checkData(input.name, input.data)
        : input.type === "symlink"
          ? checkTarget(input.name, input.target)
          : EMPTY;
    const linkable = input.type !== "directory" && input.type !== "symlink";
    const key = linkable && (counts.size > 0 || input.nlink !== undefined) ? nameKey(name) : undefined;
    const nlink =
      input.type === "directory"
        ? 2
        : linkable
          ? (input.nlink ?? 1 + (key === undefined ? 0 : (counts.get(key) ?? 0)))
          : 1;
    if (nextInode > UINT32_MAX) {
      throw new CpioError(
        "CPIO_UNREPRESENTABLE",
        "The archive has more entries than inode numbers of 32 bits",
      );
    }
    const rdev = input.type === "character" || input.type === "block" ? input.rdev : undefined;
    const fields = {
      ino: nextInode++,
      mode: checkMode(input),
      uid: checkUint32(input.name, "uid", input.uid ?? 0),
      gid: checkUint32(input.name, "gid", input.gid ?? 0),
      nlink: Math.max(1, checkUint32(input.name, "nlink", nlink)),
      mtime: checkUint32(input.name, "mtime", input.mtime ?? 0),
      size: body instanceof Uint8Array ? body.length : body.size,
      rmajor: checkUint32(
        input.name,
        "device major",
        rdev?.major ?? (linkable && needsDevice(input) ? NaN : 0),
      ),
      rminor: checkUint32(
        input.name,
        "device minor",
        rdev?.minor ?? (linkable && needsDevice(input) ? NaN : 0),
      ),
    };
    if (key !== undefined && nlink > 1) groups.set(key, { fields, remaining: nlink - 1 });
    return { name, fields, body, summed: input.type === "file" };
  };

  return {
    plan,
    finish() {
      for (const [key, group] of groups) {
        const name = quote(Uint8Array.from(key, (char) => char.charCodeAt(0)));
        throw new CpioError(
          "CPIO_LINK",
          `The file ${name} was announced with ${group.fields.nlink} names, but ${group.remaining} of them never came`,
        );
      }
    },
  };
}

function needsDevice(input: CpioInput): boolean {
  return input.type === "character" || input.type === "block";
}
