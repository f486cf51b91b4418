import { execFileSync } from "node:child_process";
import { createReadStream, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type CpioEntry, decodeCpio, unpackCpio } from "@justenough/cpio";
import { expect, test } from "vitest";

import { FileTree, writeInitramfs } from "../../src/index.ts";
import { genInitCpio } from "../support/gen-init-cpio.ts";
import { lines, read, save, scratch } from "../support/layers.ts";

const directory = scratch();
writeFileSync(join(directory, "content"), "content");
const list = (text: string, env?: Record<string, string>) =>
  read([{ kind: "list", source: save(directory, text, "list"), ...(env === undefined ? {} : { env }) }]);

const LIST = `# A comment, and a blank line

dir /dev 0755 0 0
nod /dev/console 0600 0 0 c 5 1
nod /dev/sda 0660 0 6 b 8 0
dir /root 0700 0 0
dir   usr   1777 10 20
dir /usr/bin 0755 0 0
slink /bin usr/bin 0777 0 0
slink /usr/bin/sh /usr/bin/tool 0777 3 4
pipe /dev/initctl 0600 0 0
sock /dev/log 0666 0 0
file /init \${HERE}/content 0755 0 0
file /usr/bin/tool \${HERE}/con\${TENT} 04755 1 2 /usr/bin/tool2 usr/bin/tool3
file /empty /dev/null-file 0644 0 0
dir /no-links-after 755 0 0
`.replace("/dev/null-file", join(directory, "empty"));
writeFileSync(join(directory, "empty"), "");

/** What an archive holds, whatever the order and wherever the data of hard links stand. */
async function facts(source: AsyncIterable<Uint8Array>): Promise<string[]> {
  const entries: (Omit<CpioEntry, "data"> & { data: string })[] = [];
  for await (const entry of unpackCpio(source)) {
    const parts: Uint8Array[] = [];
    for await (const part of entry.data) parts.push(part);
    entries.push({ ...entry, data: Buffer.concat(parts).toString("hex") });
  }
  return entries
    .map((entry) => {
      const { name, mode, uid, gid, mtime, rdev, nlink, linkKey, target } = entry;
      const names = entries.filter((other) => linkKey !== undefined && other.linkKey === linkKey);
      const data = names.map(({ data }) => data).join("") || entry.data;
      // gen_init_cpio gives pipes and sockets the link count of directories, 2, although there is one name.
      const links = names.length < 2 ? [] : names.map(({ name }) => name).sort();
      // Its symbolic links have mode 0777 only if the list says so, and their targets end in a NUL, as do not ours.
      return JSON.stringify({
        name,
        mode,
        uid,
        gid,
        mtime,
        rdev,
        target,
        links,
        nlink: links.length === 0 ? 1 : nlink,
        data: target === undefined ? data : "",
      });
    })
    .sort();
}

async function* chunked(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

test("the archive holds what the kernel's gen_init_cpio makes of the list, entry for entry", async () => {
  const env = { HERE: directory, TENT: "tent" };
  const program = genInitCpio(directory);
  const path = save(directory, LIST, "list");
  const theirs = execFileSync(program, ["-t", "0", path], { env: { ...process.env, ...env } });
  const stack = await read([{ kind: "list", source: path, env }]);
  const output = join(directory, "ours.cpio");
  await writeInitramfs(new FileTree(stack), { output, compression: "none" });
  const ours = await facts(createReadStream(output));
  expect(ours).toEqual(await facts(chunked(theirs)));
  expect(decodeCpio(theirs).length).toBe(ours.length);
  expect(ours.length).toBe(16);
});

test("entries know their lines", async () => {
  const stack = await list("dir /a 0755 0 0\n\n# x\nslink /b a 0777 0 0\n");
  expect(stack.nodes.map(([path, { why }]) => `${path} ${why}`)).toEqual(["/a list:1", "/b list:4"]);
});

test("an unset variable is empty, others are looked at again", async () => {
  const stack = await list(`file /a \${NO}\${A} 0644 0 0\n`, { A: `\${B}content`, B: `${directory}/` });
  expect(lines(stack)).toEqual(['/a file 644 "content"']);
});

test.each([
  ["dri /a 0755 0 0", 'list:2: unknown type "dri"', "One of file, dir, nod, slink, pipe, sock"],
  ["dir /a 0755 0", 'list:2: too few words for "dir"', "dir <name> <mode> <uid> <gid>"],
  ["constructor /a 0755 0 0", 'list:2: unknown type "constructor"', undefined],
  [
    "file /a /b 0755 0",
    'list:2: too few words for "file"',
    "file <name> <location> <mode> <uid> <gid> [<hard links>]",
  ],
  ["dir /a 0789 0 0", 'list:2: "0789" is no octal number', "dir <name> <mode> <uid> <gid>"],
  ["dir /a 0755 root 0", 'list:2: "root" is no decimal number', "dir <name> <mode> <uid> <gid>"],
  [
    "nod /a 0755 0 0 x 1 2",
    'list:2: the device type "x" is neither b nor c',
    "nod <name> <mode> <uid> <gid> <dev_type> <maj> <min>",
  ],
  ["file /a /no/such 0755 0 0", 'list:2: the file "/no/such" does not exist', undefined],
  ["file /a /dev/null 0755 0 0", 'list:2: the file "/dev/null" is no regular file', undefined],
  ["dir /a/../b 0755 0 0", 'Cannot take "list:2": the entry "/a/../b" has ".." in its name', undefined],
])("%s is an error with its place", async (line, message, hint) => {
  await expect(list(`# first\n${line}\n`)).rejects.toMatchObject({
    message,
    ...(hint === undefined ? {} : { hint }),
  });
});
