import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { DF_1_NODEFLIB, DF_1_PIE, openElf, readComments, readElf, readModuleInfo } from "../src/index.ts";
import { ourFacts, theirFacts } from "./compare.ts";

const directory = mkdtempSync(join(tmpdir(), "elf-toolchain-"));
afterAll(() => rmSync(directory, { recursive: true }));

const PROGRAM = "int main(void) { return 0; }";

function build(name: string, source: string, ...flags: string[]): string {
  const path = join(directory, name);
  execFileSync("gcc", ["-x", "c", "-", "-o", path, ...flags], { input: source });
  return path;
}

describe("files that a compiler makes", () => {
  it("agrees with readelf about all kinds of link", () => {
    const files = [
      build("dynamic", PROGRAM),
      build("no-pie", PROGRAM, "-no-pie"),
      build("static", PROGRAM, "-static"),
      build("static-pie", PROGRAM, "-static-pie"),
      build("object", PROGRAM, "-c"),
      build("library", PROGRAM, "-shared", "-fPIC", "-Wl,-soname,libx.so.1"),
      build("runpath", PROGRAM, "-Wl,--enable-new-dtags,-rpath,$ORIGIN/../lib:/opt/x"),
      build("rpath", PROGRAM, "-Wl,--disable-new-dtags,-rpath,$ORIGIN/../lib::/opt/x"),
      build("no-build-id", PROGRAM, "-Wl,--build-id=none"),
      build("no-default", PROGRAM, "-Wl,-z,nodefaultlib,-z,origin"),
      build("filter", PROGRAM, "-shared", "-fPIC", "-Wl,--auxiliary,libaux.so,--filter,libfilter.so"),
    ];
    expect(files.map(ourFacts)).toEqual(theirFacts(files));
  });

  it("names the compilers that readelf names", () => {
    const path = build("commented", String.raw`__asm__(".ident \"hand made\""); ${PROGRAM}`);
    const theirs = execFileSync("readelf", ["-p", ".comment", path], { encoding: "utf8" });
    const lines = [...theirs.matchAll(/^ +\[ *[0-9a-f]+\] +(.*)$/gm)].map(([, line]) => line);
    expect(lines).toContain("hand made");
    expect(readComments(openElf(readFileSync(path)))).toEqual([...new Set(lines)]);
    execFileSync("strip", ["--remove-section=.comment", path]);
    expect(readComments(openElf(readFileSync(path)))).toEqual([]);
  });

  it("tells programs from libraries and reads the run paths", () => {
    const program = readElf(readFileSync(join(directory, "dynamic")));
    expect(program.type).toBe("shared");
    expect((program.dynamic?.flags1 ?? 0) & DF_1_PIE).toBe(DF_1_PIE);
    expect(readElf(readFileSync(join(directory, "library"))).dynamic).toMatchObject({
      soname: "libx.so.1",
      flags1: 0,
    });
    expect(readElf(readFileSync(join(directory, "runpath"))).dynamic).toMatchObject({
      runpath: "$ORIGIN/../lib:/opt/x",
      rpath: undefined,
    });
    expect(readElf(readFileSync(join(directory, "rpath"))).dynamic).toMatchObject({
      rpath: "$ORIGIN/../lib::/opt/x",
      runpath: undefined,
    });
    const { flags1 } = readElf(readFileSync(join(directory, "no-default"))).dynamic ?? {};
    expect((flags1 ?? 0) & DF_1_NODEFLIB).toBe(DF_1_NODEFLIB);
    expect(readElf(readFileSync(join(directory, "filter"))).dynamic?.filters).toEqual([
      "libfilter.so",
      "libaux.so",
    ]);
    expect(readElf(readFileSync(join(directory, "static"))).dynamic).toBeUndefined();
    expect(readElf(readFileSync(join(directory, "static-pie"))).interpreter).toBeUndefined();
  });

  it("reads a program whose section headers were removed", () => {
    const bytes = readFileSync(join(directory, "runpath"));
    const before = readElf(bytes);
    bytes.fill(0, 40, 48); // e_shoff
    bytes.fill(0, 58, 64); // e_shentsize, e_shnum, e_shstrndx
    expect(readElf(bytes)).toEqual(before);
  });

  it("reads module information as modinfo does", () => {
    const module = build(
      "module.ko",
      `#define INFO(name, text) \\
         static const char name[] __attribute__((section(".modinfo"), used, aligned(1))) = text;
       INFO(a, "license=GPL v2") INFO(b, "author=A. Bee") INFO(c, "alias=pci:v00001AF4d*sv*") \\
       INFO(d, "alias=virtio:d00000001v*") INFO(e, "depends=") INFO(f, "firmware=x/y.bin")
       INFO(g, "description=key=value, twice=")`,
      "-c",
    );
    const info = readModuleInfo(openElf(readFileSync(module)));
    expect(info).toHaveLength(7);
    for (const key of ["license", "author", "alias", "depends", "firmware", "description"]) {
      const theirs = execFileSync("/sbin/modinfo", ["-F", key, module], { encoding: "utf8" });
      const ours = info?.filter((entry) => entry.key === key).map(({ value }) => `${value}\n`);
      expect(ours?.join("")).toBe(theirs);
    }
  });

  it("reads a dlopen note that an assembler made", () => {
    const path = build(
      "dlopen",
      `__attribute__((used, section(".note.dlopen"), aligned(4))) static const struct {
         unsigned namesz, descsz, type; char name[4]; char json[64];
       } note = { 4, sizeof(note.json), 0x407c0c0a, "FDO", "[{\\"soname\\":[\\"libq.so.1\\"],\\"priority\\":\\"required\\"}]" };
       int main(void) { return 0; }`,
    );
    expect(readElf(readFileSync(path)).dlopen).toEqual([
      { sonames: ["libq.so.1"], priority: "required", feature: undefined, description: undefined },
    ]);
  });

  it("keeps the build id of a file that holds debug information alone", () => {
    const path = build("with-debug", PROGRAM, "-g");
    const debug = join(directory, "only-debug");
    copyFileSync(path, debug);
    execFileSync("objcopy", ["--only-keep-debug", path, debug]);
    expect(readElf(readFileSync(debug)).buildId).toBe(readElf(readFileSync(path)).buildId);
  });
});
