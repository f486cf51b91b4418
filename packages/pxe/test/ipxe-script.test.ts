import { describe, expect, test } from "vitest";
import { escapeIpxe, ipxeScript } from "../src/index.ts";

test("a whole script", () => {
  expect(
    ipxeScript({
      kernel: "http://10.77.0.1:8080/kernel",
      initrd: ["http://10.77.0.1:8080/initrd/0", "http://10.77.0.1:8080/initrd/1"],
      cmdline: "console=ttyS0 quiet",
      title: "Just enough",
    }),
  ).toBe(
    [
      "#!ipxe",
      "echo Just enough",
      "kernel http://10.77.0.1:8080/kernel initrd=initrd0 initrd=initrd1 console=ttyS0 quiet || goto failed",
      "initrd --name initrd0 http://10.77.0.1:8080/initrd/0 || goto failed",
      "initrd --name initrd1 http://10.77.0.1:8080/initrd/1 || goto failed",
      "boot || goto failed",
      ":failed",
      "echo The boot failed; the lines above say at what",
      "sleep 5",
      "exit 1",
      "",
    ].join("\n"),
  );
});

test("a title that looks like an option of echo does not end the script (iPXE's src/core/getopt.c)", () => {
  const kernel = "http://10.77.0.1:8080/kernel";
  expect(ipxeScript({ kernel, initrd: [], cmdline: "", title: "--quick" })).toContain("\necho -- --quick\n");
});

/** What iPXE makes of a line: split at white space, stop at its own words, expand settings, join by spaces. */
function interpret(line: string): string {
  const settings: Record<string, string> = { "je-space:string": " ", "je-tab:string": "\t" };
  const words: string[] = [];
  for (const word of line.split(/\s+/)) {
    if (word === "||" || word === "&&" || word === ";" || word.startsWith("#")) break;
    let expanded = word;
    for (;;) {
      const match = /\$\{([^{}]*)\}/.exec(expanded);
      if (!match) break;
      expanded = expanded.replace(match[0], settings[match[1] ?? ""] ?? "");
    }
    words.push(expanded);
  }
  return words.join(" ");
}

describe("escaping: iPXE passes on exactly what was meant (the boot in the lab shows the same on a real one)", () => {
  test.each([
    "console=ttyS0,115200 root=/dev/vda1 -- single",
    'dyndbg="file drivers/* +p"',
    'a="two  blanks" b="three   of them"',
    'a="a\ttab"',
    "|| && ; # all at once",
    "#first",
    "ends with \\",
    "price=5$ a={b} c=$d e=}{ $",
    "a=$${b",
    "ünïcode=✓",
    "",
  ])("%j", (text) => expect(interpret(escapeIpxe(text))).toBe(text));
  test("plain arguments stay readable", () => {
    expect(escapeIpxe("console=ttyS0 init=/sbin/x a=$b")).toBe("console=ttyS0 init=/sbin/x a=$b");
  });
  test("settings are defined when they are used", () => {
    const text = ipxeScript({ kernel: "http://h/k", initrd: [], cmdline: 'a="b  c\td"' });
    expect(text.split("\n").slice(1, 3)).toEqual(["set je-space:hex 20", "set je-tab:hex 09"]);
  });
  test.each(["a=${net0/mac}", "x${y", "line\nbreak", "bell\u0007"])("%j", (text) => {
    if (text === "x${y") expect(interpret(escapeIpxe(text))).toBe(text);
    else
      expect(() => escapeIpxe(text)).toThrow(expect.objectContaining({ code: "PXE_SCRIPT_UNREPRESENTABLE" }));
  });
  test("an unfinished ${ survives our own settings behind it; one that blanks only seem to part is refused", () => {
    expect(interpret(escapeIpxe('"${a  b" c'))).toBe('"${a  b" c');
    expect(() => escapeIpxe('"${a  b}"')).toThrow(
      expect.objectContaining({ code: "PXE_SCRIPT_UNREPRESENTABLE" }),
    );
  });
  test("addresses with blanks are refused", () => {
    expect(() => ipxeScript({ kernel: "http://h/k || shell", initrd: [], cmdline: "" })).toThrow(/address/);
  });
});
