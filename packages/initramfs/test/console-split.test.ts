import { expect, test } from "vitest";

import { splitConsole } from "../src/index.ts";

async function split(chunks: Uint8Array[]): Promise<Record<string, string>> {
  const result: Record<string, string> = { before: "", program: "", after: "" };
  for await (const { part, bytes } of splitConsole(chunks, "c0de")) {
    result[part] += Buffer.from(bytes).toString("latin1");
  }
  return result;
}

test("sets the program's bytes apart, whatever the chunks", async () => {
  const program = "line\r\n\n\x1e[appliance c0de star\n\n\x1e[appliance beef end]\nlast\r\n";
  const text = `kernel\r\n\n\x1e[appliance c0de start]\n${program}\n\x1e[appliance c0de end]\ndown\n`;
  const bytes = Buffer.from(text, "latin1");
  for (let size = 1; size < bytes.length + 1; size += size < 40 ? 1 : 13) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    expect(await split(chunks), `chunks of ${size}`).toEqual({
      before: "kernel\r\n",
      program,
      after: "down\n",
    });
  }
});

test("gives what there was when the machine stopped in the middle", async () => {
  const chunks = ["boot\n\n\x1e[appliance c0de start]\nhello\n", "\n\x1e[appl"].map((text) =>
    Buffer.from(text),
  );
  expect(await split(chunks)).toEqual({ before: "boot\n", program: "hello\n\n\x1e[appl", after: "" });
  expect(await split([Buffer.from("Kernel panic")])).toEqual({
    before: "Kernel panic",
    program: "",
    after: "",
  });
});

test("holds back nothing that cannot begin a marker", async () => {
  const seen: string[] = [];
  async function* serial(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("\n\x1e[appliance c0de start]\n");
    yield Buffer.from("prompt> ");
    seen.push("asked");
  }
  for await (const { bytes } of splitConsole(serial(), "c0de")) seen.push(Buffer.from(bytes).toString());
  expect(seen).toEqual(["prompt> ", "asked"]);
});
