import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { buildInitramfs, collect, FACET_NAMES, type FileTree } from "../src/index.ts";
import { boot } from "./support/boot.ts";
import { cloudKernel } from "./support/cloud-kernel.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "initramfs-facets-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const init = { kind: "generated", args: ["bash"] } as const;

// Each line names a facet, and prints what only comes out right with what it brings.
const SCRIPT = String.raw`
echo "nss $(getent passwd root | cut -d: -f1,7) $(getent services ssh | tr -s ' ') $(getent hosts localhost | tr -s ' ')"
echo "locale $(LC_ALL=C.UTF-8 locale charmap) $(LC_ALL=en_XX.UTF-8 locale charmap 2>&1 | tail -n 1)"
echo "terminfo $(TERM=vt220 tput longname) $(TERM=xterm-256color tput colors)"
echo "tz $(date -d @1750000000 +%H:%M%Z) $(TZ=UTC date -d @1750000000 +%H:%M%Z)"
echo "ca-certificates $(python3 -c 'import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 50)')"
echo "gconv $(printf '\244' | iconv -f ISO-8859-15 -t UTF-8)"
echo "pam $(su nobody -s /bin/bash -c 'echo $UID')"
echo "python $(python3 -c 'import json, ctypes, iniconfig, zlib; print(json.dumps(zlib.decompress(zlib.compress(b"ab")).decode()))')"
echo "node $(node -e 'console.log(new Intl.DateTimeFormat("de", { month: "long" }).format(0), crypto.randomUUID().length)')"
`;

describe("facets", () => {
  test("each works in a real machine", { timeout: 180_000 }, async () => {
    const image = join(directory, "image.zst");
    const programs = ["bash", "getent", "locale", "tput", "date", "iconv", "su", "cut", "tr", "tail"];
    // Whatever is below /tmp is hidden in the guest, by the tmpfs that /init mounts there.
    const node = mkdtempSync("/var/tmp/initramfs-facets-");
    onTestFinished(() => rmSync(node, { recursive: true }));
    copyFileSync(process.execPath, join(node, "node"));
    await buildInitramfs({
      programs: programs.map((source) => ({ source })),
      searchPath: [node, "/usr/sbin", "/usr/bin"],
      facets: [
        "nss",
        "locale",
        "terminfo",
        "tz=Europe/Berlin,Etc/UTC",
        "ca-certificates",
        "gconv=ISO-8859-15",
        "pam=su",
        "python=iniconfig",
        "node",
      ],
      init: { ...init, args: ["bash", "-c", SCRIPT], env: { PATH: `/usr/sbin:/usr/bin:${node}` } },
      compression: "zstd",
      output: image,
      arch: "x86_64",
    });
    const kernel = cloudKernel().image;
    const { program, console } = await boot({ kernel, image, job: {}, directory, memory: 1024 });
    const lines = program.toString().trim().split(/\r?\n/);
    expect(lines, console).toEqual([
      expect.stringMatching(/^nss root:\/bin\/\w+ ssh 22\/tcp (127.0.0.1|::1) localhost/),
      "locale UTF-8 ANSI_X3.4-1968",
      "terminfo DEC VT220 256",
      "tz 17:06CEST 15:06UTC",
      "ca-certificates True",
      "gconv €",
      "pam 65534",
      'python "ab"',
      "node Januar 36",
    ]);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(FACET_NAMES);
  });

  test("what the user put somewhere is better", async () => {
    const tree = await collect({
      programs: [],
      facets: ["nss", "tz=Europe/Berlin"],
      files: [
        { target: "/etc/passwd", content: "me:x:1:1::/:/bin/me\n" },
        { target: "/etc/nsswitch.conf", content: "passwd: files\n" },
      ],
      links: [{ target: "/etc/localtime", to: "/zone" }],
      init,
      arch: "x86_64",
    });
    expect(text(tree, "/etc/passwd")).toBe("me:x:1:1::/:/bin/me\n");
    expect(text(tree, "/etc/nsswitch.conf")).toBe("passwd: files\n");
    expect(tree.get("/etc/localtime")).toMatchObject({ to: "/zone" });
    expect(text(tree, "/etc/group")).toContain("root:*:0:");
    expect(tree.get("/usr/share/zoneinfo/Europe/Berlin")).toMatchObject({ why: "facet tz=Europe/Berlin" });
  });

  test("all of gconv, of the time zones and of PAM", async () => {
    const tree = await collect({ programs: [], facets: ["gconv", "tz", "pam"], init, arch: "x86_64" });
    const paths = tree.entries().map(([path]) => path);
    const below = (part: string): number => paths.filter((path) => path.includes(part)).length;
    expect(below("/gconv/")).toBeGreaterThan(200);
    expect(below("/zoneinfo/")).toBeGreaterThan(300);
    expect(below("/zoneinfo/right")).toBe(0);
    expect(below("/security/pam_unix.so")).toBe(1);
    expect(paths).toContain("/etc/pam.d/other");
  });

  test("locales of an archive and of directories", async () => {
    const root = join(directory, "root");
    mkdirSync(join(root, "usr/lib/locale"), { recursive: true });
    symlinkSync("usr/lib", join(root, "lib"));
    const archive = join(root, "usr/lib/locale/locale-archive");
    const make = (...args: string[]): void => {
      // Status 1 means warnings, of which a system without its character maps has some.
      execFileSync("sh", ["-c", 'localedef "$@" 2>/dev/null || [ $? = 1 ]', "sh", "--prefix", root, ...args]);
    };
    make("-i", "POSIX", "-f", "UTF-8", "one.UTF-8");
    make("--no-archive", "-i", "POSIX", "-f", "UTF-8", join(root, "usr/lib/locale/two.utf8"));
    expect(readFileSync(archive).includes("one.utf8")).toBe(true);
    const files = async (facet: string): Promise<string[]> => {
      const tree = await collect({ sysroot: root, programs: [], facets: [facet], init, arch: "x86_64" });
      return tree
        .entries()
        .flatMap(([path, node]) => (path.includes("locale/") && node.kind === "file" ? [path] : []));
    };
    expect(await files("locale=one.UTF-8")).toEqual(["/usr/lib/locale/locale-archive"]);
    expect(await files("locale=two.UTF-8")).toContain("/usr/lib/locale/two.utf8/LC_CTYPE");
    expect(await files("locale=two.UTF-8")).not.toContain("/usr/lib/locale/locale-archive");
    expect(await files("locale")).toEqual([]);
  });

  test.each([
    ["nsss", "INITRAMFS_INVALID_OPTION", 'There is no facet "nsss"', 'Did you mean "nss"?'],
    ["constructor", "INITRAMFS_INVALID_OPTION", 'There is no facet "constructor"', /They are nss, locale/],
    ["tz=../../../etc/shadow", "INITRAMFS_INVALID_OPTION", /is a path, not a name for the facet tz/],
    ["tz=Europe/Nowhere", "INITRAMFS_NOT_FOUND", /no time zone "\/usr\/share\/zoneinfo\/Europe\/Nowhere"/],
    ["locale=xx_YY.UTF-8", "INITRAMFS_NOT_FOUND", /no locale "xx_YY.UTF-8"/, /localedef -i xx_YY -f UTF-8/],
    ["terminfo=nothing", "INITRAMFS_NOT_FOUND", /no description of the terminal "nothing"/],
    ["gconv=KLINGON", "INITRAMFS_NOT_FOUND", /No module in .*gconv converts "KLINGON"/],
    ["pam=nothing", "INITRAMFS_NOT_FOUND", 'There is no PAM service "nothing"'],
    ["python=nothing", "INITRAMFS_NOT_FOUND", /Python has no package "nothing"/],
  ])("%s is refused", async (facet, code, message, hint?: string | RegExp) => {
    const collected = collect({ programs: [], facets: [facet], init, arch: "x86_64" });
    const matching = (text: string | RegExp): unknown =>
      typeof text === "string" ? text : expect.stringMatching(text);
    await expect(collected).rejects.toMatchObject({
      code,
      message: matching(message),
      ...(hint === undefined ? {} : { hint: matching(hint) }),
    });
  });
});

function text(tree: FileTree, path: string): string {
  const node = tree.get(path);
  if (node?.kind !== "file" || node.content.kind !== "bytes") throw new Error(`${path} is not made here`);
  return new TextDecoder().decode(node.content.bytes);
}
