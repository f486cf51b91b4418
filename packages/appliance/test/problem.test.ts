import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseSpec } from "../src/spec/load.ts";
import { SpecError } from "../src/spec/problem.ts";

function errorOf(text: unknown): string {
  try {
    parseSpec(text, { file: join(process.cwd(), "appliance.yaml") });
  } catch (error) {
    if (error instanceof SpecError) return `\n${error.message}\n`;
    throw error;
  }
  throw new Error("the spec was accepted");
}

describe("a wrong spec", () => {
  test("shows a misspelt key with its place and what was meant", () => {
    expect(errorOf("name: a\nrun: b\nprogams: [ls]\n")).toMatchInlineSnapshot(`
      "
      appliance.yaml:3:1: Unknown key "progams"
        3 | progams: [ls]
          | ^^^^^^^
        Did you mean "programs"?
      "
    `);
  });

  test("names the missing keys", () => {
    expect(errorOf("# nothing yet\n")).toMatchInlineSnapshot(`
      "
      appliance.yaml: Missing key "name"
        name: my-appliance
      appliance.yaml: Missing key "run"
        run: the program that the appliance is for, like [redis-server, --save, ""]
      "
    `);
    expect(errorOf("name: a\n")).toMatchInlineSnapshot(`
      "
      appliance.yaml:1:1: Missing key "run"
        1 | name: a
          | ^^^^^^^
        run: the program that the appliance is for, like [redis-server, --save, ""]
      "
    `);
  });

  test("tells a misspelt required key once, not also as missing", () => {
    expect(errorOf("nmae: a\nrun: b\n")).toMatchInlineSnapshot(`
      "
      appliance.yaml:1:1: Unknown key "nmae"
        1 | nmae: a
          | ^^^^
        Did you mean "name"?
      "
    `);
  });

  test("tells all problems at once, in the order of the file", () => {
    const text = [
      "name: Hello World",
      "run:",
      "kernel:",
      "  source: debain",
      "  version: 6.12",
      "  config: { CONFIG_FOO: y }",
      "programs:",
      "  - { sorce: x }",
      "  - { compile: hello.c, flag: -static }",
      "  - 7",
      "files:",
      "  etc/motd: hello",
      "  /a/../b: hello",
      "  /a: { source: x, mode: 0644 }",
      "network: dchp",
      'forward: [70000, "a:b"]',
      "memory: 256",
      "cpus: 0",
      "report: true",
    ].join("\n");
    expect(errorOf(text)).toMatchInlineSnapshot(`
      "
      appliance.yaml:1:7: "name" is "Hello World", but must be a host name: lower-case letters, digits and dashes, at most 63
        1 | name: Hello World
          |       ^^^^^^^^^^^
      appliance.yaml:2:5: "run" is empty, but must be a string, a list or a mapping
        2 | run:
          |     ^
      appliance.yaml:4:11: "kernel.source" is "debain", but must be auto, debian, kernel.org or distro
        4 |   source: debain
          |           ^^^^^^
        Did you mean "debian"?
      appliance.yaml:5:12: "kernel.version" is 6.12, but must be a quoted version like "6.12" or "6.12.8"
        5 |   version: 6.12
          |            ^^^^
      appliance.yaml:6:13: Key "CONFIG_FOO" must be a Kconfig symbol without its CONFIG_ prefix
        6 |   config: { CONFIG_FOO: y }
          |             ^^^^^^^^^^
      appliance.yaml:8:7: Unknown key "sorce" in "programs[0]"
        8 |   - { sorce: x }
          |       ^^^^^
        Did you mean "source"?
      appliance.yaml:9:25: Unknown key "flag" in "programs[1]"
        9 |   - { compile: hello.c, flag: -static }
          |                         ^^^^
        Did you mean "flags"?
      appliance.yaml:10:5: "programs[2]" is 7, but must be a string or a mapping
        10 |   - 7
           |     ^
      appliance.yaml:12:3: Key "etc/motd" must be a path inside the appliance: absolute, without "..", like "/etc/motd"
        12 |   etc/motd: hello
           |   ^^^^^^^^
      appliance.yaml:13:3: Key "/a/../b" must be a path inside the appliance: absolute, without "..", like "/etc/motd"
        13 |   /a/../b: hello
           |   ^^^^^^^
      appliance.yaml:14:26: "files["/a"].mode" is 644, but must be a mode as quoted octal digits, like "0644"
        14 |   /a: { source: x, mode: 0644 }
           |                          ^^^^
      appliance.yaml:15:10: "network" is "dchp", but must be none or dhcp
        15 | network: dchp
           |          ^^^^
        Did you mean "dhcp"?
      appliance.yaml:16:11: "forward[0]" is 70000, but must be at most 65535
        16 | forward: [70000, "a:b"]
           |           ^^^^^
      appliance.yaml:16:18: "forward[1]" is "a:b", but must be a port, or "HOST:GUEST"
        16 | forward: [70000, "a:b"]
           |                  ^^^^^
      appliance.yaml:17:9: "memory" is 256, but must be a size like "256M" or "1G"
        17 | memory: 256
           |         ^^^
      appliance.yaml:18:7: "cpus" is 0, but must be at least 1
        18 | cpus: 0
           |       ^
      appliance.yaml:19:9: "report" is true, but must be a duration like "500ms" or "2s" or false
        19 | report: true
           |         ^^^^
      "
    `);
  });

  test("tells YAML's own errors with their place", () => {
    expect(errorOf("name: a\nname: b\nrun: c\n")).toMatchInlineSnapshot(`
      "
      appliance.yaml:2:1: This key stands here twice
        2 | name: b
          | ^
      "
    `);
    expect(errorOf("name: a\nrun: [b\n")).toMatchInlineSnapshot(`
      "
      appliance.yaml:3:1: Flow sequence in block collection must be sufficiently indented and end with a ]
        3 | 
          | ^
      "
    `);
  });

  test("refuses what only a shell can do in a command string", () => {
    expect(errorOf("name: a\nrun: ls / | wc -l\n")).toMatchInlineSnapshot(`
      "
      appliance.yaml:2:6: Cannot split "ls / | wc -l" into a program and its arguments: "|" needs a shell
        2 | run: ls / | wc -l
          |      ^^^^^^^^^^^^
        write a list, like [sh, -c, "ls / | wc -l"]
      "
    `);
  });

  test("refuses ports without a network", () => {
    expect(errorOf("name: a\nrun: b\nnetwork: none\nforward: [80]\n")).toMatchInlineSnapshot(`
      "
      appliance.yaml:3:10: Ports are forwarded, but "network" is "none"
        3 | network: none
          |          ^^^^
        leave "network" out, or make it "dhcp"
      "
    `);
  });

  test("refuses a file with both a source and a content, or neither", () => {
    expect(errorOf("name: a\nrun: b\nfiles:\n  /x: { mode: '0644' }\n")).toMatchInlineSnapshot(`
      "
      appliance.yaml:4:3: File "/x" needs either "source" or "content"
        4 |   /x: { mode: '0644' }
          |   ^^
      "
    `);
  });

  test("names the key where there is no text to point at", () => {
    expect(errorOf({ name: "a", run: "b", kernel: { versoin: "6.12" }, programs: [{}] }))
      .toMatchInlineSnapshot(`
        "
        appliance.yaml: kernel.versoin: Unknown key "versoin" in "kernel"
          Did you mean "version"?
        appliance.yaml: Missing key "programs[0].source"
        "
      `);
    expect(errorOf(null)).toMatchInlineSnapshot(`
      "
      appliance.yaml: The spec is empty, but must be a mapping
      "
    `);
    expect(errorOf([])).toMatchInlineSnapshot(`
      "
      appliance.yaml: The spec is an empty list, but must be a mapping
      "
    `);
  });

  test("keeps the caret below its word after tabs and wide indents", () => {
    expect(errorOf('name: a\nrun: b\nkernel: {\t"features":\t7 }\n')).toMatchInlineSnapshot(`
      "
      appliance.yaml:3:23: "kernel.features" is 7, but must be a list
        3 | kernel: {	"features":	7 }
          |          	           	^
      "
    `);
  });
});
