/**
 * The README's lines for other DHCP servers, by the servers' own syntax checkers. dnsmasq is always there; the
 * others would start a server when they are installed, and are named by hand:
 * PXE_DHCPD=/usr/sbin/dhcpd PXE_KEA=/usr/sbin/kea-dhcp4 vitest run test/own-dhcp.test.ts
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);

interface Checker {
  readonly name: string;
  readonly program: string | undefined;
  /** How the README's fence begins. */
  readonly fence: string;
  readonly whole: (lines: string) => string;
  readonly argv: (file: string) => readonly string[];
}

const CHECKERS: readonly Checker[] = [
  {
    name: "dnsmasq",
    program: "dnsmasq",
    fence: "```conf\n# dnsmasq\n",
    whole: (lines) => `dhcp-range=10.77.0.100,10.77.0.199\n${lines}`,
    argv: (file) => ["--test", `--conf-file=${file}`],
  },
  {
    name: "ISC dhcpd",
    program: process.env["PXE_DHCPD"],
    fence: "```conf\n# ISC dhcpd\n",
    whole: (lines) => `subnet 10.77.0.0 netmask 255.255.255.0 { range 10.77.0.100 10.77.0.199; }\n${lines}`,
    argv: (file) => ["-t", "-cf", file, "-lf", "/dev/null"],
  },
  {
    name: "Kea",
    program: process.env["PXE_KEA"],
    fence: "```jsonc\n// Kea\n",
    whole: (lines) => `{ "Dhcp4": {
      "interfaces-config": { "interfaces": [] },
      "lease-database": { "type": "memfile", "persist": false },
      "subnet4": [{ "id": 1, "subnet": "10.77.0.0/24", "pools": [{ "pool": "10.77.0.100-10.77.0.199" }] }],
      ${lines} } }`,
    argv: (file) => ["-t", file],
  },
];

test.each(CHECKERS.filter(({ program }) => program !== undefined))(
  "$name takes the README's lines",
  async (checker) => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const lines = readme.split(checker.fence)[1]?.split("```")[0];
    if (lines === undefined) throw new Error(`the README has no lines for ${checker.name}`);
    const directory = await mkdtemp(join(tmpdir(), "pxe-own-dhcp-"));
    const check = async (text: string): Promise<boolean> => {
      const file = join(directory, "config");
      await writeFile(file, text);
      return run(checker.program ?? "", [...checker.argv(file)]).then(
        () => true,
        () => false,
      );
    };
    try {
      expect(await check(checker.whole(lines))).toBe(true);
      // The checker is one: it does not take anything.
      expect(await check(checker.whole(`${lines}\nno-such-word-of-it`))).toBe(false);
    } finally {
      await rm(directory, { recursive: true });
    }
  },
);
