import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeValues } from "../src/spec/describe.ts";
import { parseSpec } from "../src/spec/load.ts";
import { splitWords } from "../src/spec/words.ts";

const file = join(process.cwd(), "appliance.yaml");

describe("resolveSpec()", () => {
  test("needs a name and a program only, and says where every value comes from", () => {
    const { spec, values } = parseSpec("name: hello\nrun: echo Hello\narch: x86_64\n", { file });
    expect(spec).toMatchInlineSnapshot(`
      {
        "arch": "x86_64",
        "compression": "gzip",
        "cpus": 1,
        "directories": [],
        "facets": [],
        "files": [],
        "forward": [],
        "init": null,
        "kernel": {
          "cmdline": "",
          "compiler": "gcc",
          "config": {},
          "defconfig": null,
          "devices": null,
          "features": [
            "base",
            "quiet",
            "serial",
            "screen",
            "poweroff",
            "net",
            "ptys",
          ],
          "modules": [],
          "presets": [],
          "source": {
            "kind": "auto",
            "version": "6.12",
          },
        },
        "links": [],
        "memory": 256,
        "name": "hello",
        "network": {
          "kind": "none",
        },
        "nodes": [],
        "programs": [
          {
            "kind": "copy",
            "source": "echo",
          },
        ],
        "report": 1000,
        "run": {
          "argv": [
            "echo",
            "Hello",
          ],
          "cwd": "/",
          "env": {},
        },
        "test": null,
      }
    `);
    expect(`\n${describeValues(values)}\n`).toMatchInlineSnapshot(`
      "
      name                "hello"                            appliance.yaml:1
      arch                "x86_64"                           appliance.yaml:3
      run.argv            ["echo","Hello"]                   appliance.yaml:2
      run.cwd             "/"                                default
      programs[0]         { kind: "copy", source: "echo" }   implied by run
      init                null                               default: the generated one
      network             { kind: "none" }                   default
      kernel.source       { kind: "auto", version: "6.12" }  default: Debian's source package where apt offers it, else kernel.org
      kernel.version      "6.12"                             default
      kernel.compiler     "gcc"                              default
      kernel.defconfig    null                               default: all that nobody asks for is off
      kernel.devices      null                               default
      kernel.features[0]  "base"                             implied by every appliance
      kernel.features[1]  "quiet"                            implied by every appliance
      kernel.features[2]  "serial"                           implied by the console and the control channel
      kernel.features[3]  "screen"                           implied by every appliance
      kernel.features[4]  "poweroff"                         implied by every appliance
      kernel.features[5]  "net"                              implied by programs
      kernel.features[6]  "ptys"                             implied by programs
      kernel.cmdline      ""                                 default
      memory              256                                default
      cpus                1                                  default
      compression         "gzip"                             default
      test                null                               default: the program's exit status
      report              1000                               default
      "
    `);
  });

  test("lets the command line win over the spec, and says so", () => {
    const text = "name: a\nrun: b\narch: arm64\nmemory: 1G\nforward: [80]\nkernel: { source: debian }\n";
    const overrides = { kernel: "distro", memory: 64, forward: ["8080:80"], screen: "--film" } as const;
    const { spec, values } = parseSpec(text, { file, overrides });
    expect(spec.kernel.source).toEqual({ kind: "distro" });
    expect(spec.memory).toBe(64);
    expect(spec.forward).toEqual([{ host: 8080, guest: 80, flexible: false }]);
    expect(values.filter(({ origin }) => origin.kind === "command-line").map(({ key }) => key)).toEqual([
      "forward[0]",
      "kernel.source",
      "kernel.features[8]",
      "memory",
    ]);
    expect(spec.kernel.features[8]).toBe("virtio-gpu");
    expect(parseSpec("name: a\nrun: b\narch: x86_64\n", { file }).spec.kernel.features).toContain("screen");
  });

  test("implies the network by forwarded ports, and the card by the network", () => {
    const { spec, values } = parseSpec("name: a\nrun: b\nforward: [6379]\n", { file });
    expect(spec.network).toEqual({ kind: "dhcp" });
    expect(spec.kernel.features).toContain("virtio-net");
    expect(values.find(({ key }) => key === "network")?.origin).toEqual({ kind: "implied", by: "forward" });
  });

  test.each([
    ["programs: [/bin/b]", 1],
    ["programs: [b]", 1],
    ["programs: [{ compile: b.c }]", 1],
    ["links: { /bin/b: busybox }", 0],
    ["files: { /bin/b: '#!/bin/sh' }", 0],
    ["programs: [c]", 2],
  ])("adds the main program unless it is there already: %s", (line, count) => {
    expect(parseSpec(`name: a\nrun: b\n${line}\n`, { file }).spec.programs).toHaveLength(count);
  });

  test("takes paths relative to the spec's directory", () => {
    const text = "name: a\nrun: b\ninit: my-init\nprograms: [./tool]\nfiles: { /x: { source: y } }\n";
    const { spec } = parseSpec(text, { file: "/specs/appliance.yaml" });
    expect(spec.init).toBe("/specs/my-init");
    expect(spec.programs[0]).toEqual({ kind: "copy", source: "/specs/tool", target: "/bin/tool" });
    expect(spec.files).toEqual([{ target: "/x", source: "/specs/y" }]);
  });

  test("keeps the numbers of kernel.config as they were typed", () => {
    const { spec } = parseSpec("name: a\nrun: b\nkernel: { config: { A: 0x10, B: 010, C: y, D: text } }\n", {
      file,
    });
    expect(spec.kernel.config).toEqual({ A: "0x10", B: "010", C: "y", D: "text" });
  });
});

describe("splitWords()", () => {
  test.each([
    ["a b  c", ["a", "b", "c"]],
    [" a 'b c' \"d 'e'\" ", ["a", "b c", "d 'e'"]],
    ["a '' b", ["a", "", "b"]],
    ["a=x'y z'", ["a=xy z"]],
  ])("%j", (text, words) => expect(splitWords(text)).toEqual({ words }));

  test.each([["a | b"], ["a $B"], ["a 'b"], ["  "]])("refuses %j", (text) => {
    expect(splitWords(text)).toHaveProperty("error");
  });
});
