/** What we write is what binutils reads, and what binutils makes of the same parts. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findStub, inspectUki, prepareUki, readPe, streamSection, writeUki } from "../src/index.ts";
import { craftBzImage, text } from "./support/craft-pe.ts";
import { gather } from "./support/gather.ts";

const exec = promisify(execFile);
let scratch: string;
let stub: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "uki-test-"));
  // Of another release too: UKI_STUB=linuxx64.efi.stub.
  stub = process.env["UKI_STUB"] ?? (await findStub("x64"));
  for (const [name, bytes] of Object.entries(PARTS)) await writeFile(join(scratch, name), bytes);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const PARTS: Readonly<Record<string, Uint8Array>> = {
  ".osrel": text('ID=test\nNAME="A test"\n'),
  ".uname": text("6.1.0-test"),
  ".cmdline": text("console=ttyS0 quiet"),
  ".linux": craftBzImage("6.1.0-test", {
    sections: [{ name: ".text", bytes: Uint8Array.from({ length: 100_001 }, (_, index) => index * 7) }],
  }),
  ".initrd": Uint8Array.from({ length: 33_333 }, (_, index) => index * 5),
};
const names = Object.keys(PARTS);

interface Line {
  readonly name: string;
  readonly size: number;
  readonly address: number;
  readonly offset: number;
}

async function objdump(path: string): Promise<Line[]> {
  const { stdout } = await exec("objdump", ["-h", "-w", path]);
  return [...stdout.matchAll(/^ +\d+ (\S+) +([0-9a-f]+) +([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+) /gm)].map(
    ([, name = "", size = "", address = "", offset = ""]) => ({
      name,
      size: Number.parseInt(size, 16),
      address: Number.parseInt(address, 16),
      offset: Number.parseInt(offset, 16),
    }),
  );
}

/** One section as objcopy takes it out. */
async function objcopied(path: string, name: string): Promise<Buffer> {
  const out = join(scratch, "section");
  await exec("objcopy", ["-O", "binary", `--only-section=${name}`, path, out]);
  return readFile(out);
}

async function ours(): Promise<string> {
  const path = join(scratch, "ours.efi");
  const uki = await prepareUki({
    kernel: join(scratch, ".linux"),
    initrd: [join(scratch, ".initrd")],
    cmdline: "console=ttyS0 quiet",
    osRelease: new TextDecoder().decode(PARTS[".osrel"]),
    stub,
  });
  await writeUki(uki, path);
  return path;
}

/** As dracut and others do: sections anywhere behind the stub. */
async function byObjcopy(): Promise<string> {
  const path = join(scratch, "objcopy.efi");
  const lines = await objdump(stub);
  let address = Math.max(...lines.map((line) => line.address + line.size));
  const args: string[] = [];
  for (const name of names) {
    address = Math.ceil(address / 0x1_0000) * 0x1_0000;
    args.push(
      "--add-section",
      `${name}=${join(scratch, name)}`,
      "--change-section-vma",
      `${name}=${address}`,
    );
    address += PARTS[name]?.length ?? 0;
  }
  await exec("objcopy", [...args, stub, path]);
  return path;
}

test("objdump sees the sections where we say they are", async () => {
  const path = await ours();
  const { sections } = await readPe(path);
  const lines = await objdump(path);
  const base = (lines[0]?.address ?? 0) - (sections[0]?.virtualAddress ?? 0);
  expect(lines).toEqual(
    (await inspectUki(path)).sections.map(({ name, size, virtualAddress, rawOffset }) => ({
      name,
      size,
      address: base + virtualAddress,
      offset: rawOffset,
    })),
  );
  expect(sections.slice(-5).map(({ name }) => name)).toEqual(names);
});

test("each section is what objcopy takes out, and what it put into an image of its own", async () => {
  const [mine, other] = [await ours(), await byObjcopy()];
  const all = (await readPe(stub)).sections.map(({ name }) => name);
  // objcopy makes the relocations anew.
  for (const name of [...all.filter((name) => name !== ".reloc"), ...names]) {
    const content = await gather(streamSection(mine, name));
    expect(content.length, name).toBeGreaterThan(0);
    expect((await objcopied(mine, name)).equals(content), name).toBe(true);
    expect((await gather(streamSection(other, name))).equals(content), name).toBe(true);
    const part = PARTS[name];
    if (part) expect(content.equals(part), name).toBe(true);
  }
  expect(await inspectUki(other)).toMatchObject({
    machine: "x64",
    cmdline: "console=ttyS0 quiet",
    uname: "6.1.0-test",
    osRelease: { ID: "test", NAME: "A test" },
  });
});
