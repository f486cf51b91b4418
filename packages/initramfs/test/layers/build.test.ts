import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import {
  buildInitramfs,
  type BuildInitramfsOptions,
  type LayerSpec,
  readInitramfs,
} from "../../src/index.ts";
import { main } from "../../src/main.ts";
import { save, scratch } from "../support/layers.ts";
import { makeLayout, writeFiles } from "../support/make-oci.ts";
import { makeTar, type MadeEntry } from "../support/make-tar.ts";

const directory = scratch();
const layer = (entries: readonly MadeEntry[]): LayerSpec => ({
  kind: "tar",
  source: save(directory, makeTar(entries)),
});

const options = (name: string, more: Partial<BuildInitramfsOptions>): BuildInitramfsOptions => ({
  programs: [],
  init: { kind: "generated", args: ["/bin/tool"] },
  compression: "none",
  arch: "x86_64",
  output: join(directory, name),
  ...more,
});

const TOOL = readFileSync("/bin/busybox");
const SYSTEM: readonly MadeEntry[] = [
  { name: "bin", type: "2", linkname: "usr/bin" },
  { name: "usr/bin/tool", data: TOOL, mode: 0o4755, uid: 7, gid: 8, mtime: 1_000_000_000 },
  { name: "usr/bin/tool2", type: "1", linkname: "usr/bin/tool" },
  { name: "etc/motd", data: "old" },
  { name: "dev/console", data: "" },
  { name: "init", data: "#!/bin/tool\n", mode: 0o755 },
];

async function archive(path: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of readInitramfs(path)) {
    const { name, type, mode, uid, gid, mtime, nlink, size } = entry;
    found.push(`${name} ${type} ${(mode & 0o7777).toString(8)} ${uid}:${gid} ${mtime} ${nlink} ${size}`);
  }
  return found;
}

test("owners and hard links come into the image, times only when asked for", async () => {
  const spec = { layers: [layer(SYSTEM)] };
  const plain = await buildInitramfs(options("plain", spec));
  const lines = await archive(plain.path);
  expect(lines).toContain(`usr/bin/tool file 4755 7:8 0 2 ${TOOL.length}`);
  expect(lines).toContain("usr/bin/tool2 file 4755 7:8 0 2 0");
  expect(plain.entries.find(({ path }) => path === "/usr/bin/tool2")).toMatchObject({
    uid: 7,
    gid: 8,
    hardLinkTo: "/usr/bin/tool",
  });
  const listed = execFileSync("cpio", ["-itv", "--quiet", "--numeric-uid-gid"], {
    input: readFileSync(plain.path),
    encoding: "utf8",
  });
  expect(listed).toMatch(/^-rwsr-xr-x +2 7 +8 .* usr\/bin\/tool2$/m);
  const timed = await buildInitramfs(options("timed", { ...spec, keepLayerTimes: true }));
  expect(await archive(timed.path)).toContain(`usr/bin/tool file 4755 7:8 1000000000 2 ${TOOL.length}`);
  expect(plain.diagnostics).toEqual([]);
});

test("the root directory keeps the mode and owner that the uppermost layer gives it", async () => {
  const root = (mode: number): LayerSpec => layer([{ name: "./", type: "5", mode, uid: 5 }]);
  const image = await buildInitramfs(options("root", { layers: [root(0o700), root(0o711), layer(SYSTEM)] }));
  expect((await archive(image.path))[0]).toBe(". directory 711 5:0 0 2 0");
  const without = await buildInitramfs(options("rootless", { layers: [layer(SYSTEM)] }));
  expect((await archive(without.path))[0]).toMatch(/^bin /);
});

test("the same layers give the same image, in memory or on the disk", async () => {
  const tar = makeTar(SYSTEM);
  const sources = [save(directory, tar), save(directory, execFileSync("gzip", ["-nc"], { input: tar }))];
  const images = await Promise.all(
    sources.map((source, index) =>
      buildInitramfs(options(`same-${index}`, { layers: [{ kind: "tar", source }] })),
    ),
  );
  expect(images[0]?.sha256).toBe(images[1]?.sha256);
});

describe("what is asked for explicitly comes over the layers", () => {
  test("a file replaces a layer's, and lands where its links lead", async () => {
    const image = await buildInitramfs(
      options("over", {
        layers: [layer(SYSTEM)],
        files: [
          { target: "/etc/motd", content: "new" },
          { target: "/bin/mine", content: "mine", mode: 0o755 },
        ],
        directories: [{ target: "/etc", mode: 0o700 }],
      }),
    );
    const entry = (path: string) => image.entries.find((entry) => entry.path === path);
    expect(entry("/etc/motd")).toMatchObject({ size: 3, why: "named in the specification" });
    expect(entry("/etc")).toMatchObject({ mode: 0o700 });
    expect(entry("/usr/bin/mine")).toMatchObject({ size: 4 });
    expect(entry("/init")).toMatchObject({ why: "generated /init" });
    // docker export leaves an empty file there.
    expect(entry("/dev/console")).toMatchObject({ type: "device" });
  });

  test("but a directory with something in it does not vanish", async () => {
    const spec = options("vanish", { layers: [layer(SYSTEM)], links: [{ target: "/etc", to: "usr" }] });
    await expect(buildInitramfs(spec)).rejects.toThrow(
      /"\/etc" in the image would be both a link \(named in the specification\) and the directory of "\/etc\/motd"/,
    );
    const twice = [
      { target: "/etc/motd", content: "a" },
      { target: "/etc/motd", content: "b" },
    ];
    await expect(buildInitramfs(options("twice", { layers: [layer(SYSTEM)], files: twice }))).rejects.toThrow(
      /asked for twice/,
    );
  });

  test("programs of this machine over a system whose /lib is a real directory", async () => {
    const foreign = layer([
      { name: "lib/", type: "5" },
      { name: "lib/foreign" },
      { name: "bin/", type: "5" },
      { name: "bin/x" },
    ]);
    const image = await buildInitramfs(
      options("foreign", {
        layers: [foreign],
        programs: [{ source: "bash" }],
        init: { kind: "generated", args: ["bash"] },
      }),
    );
    const links = new Map(image.entries.map(({ path, to }) => [path, to]));
    expect(links.has("/lib/foreign")).toBe(true);
    const libc = "/usr/lib/x86_64-linux-gnu/libc.so.6";
    expect(links.get(libc.slice(4))).toBe(libc);
    expect(image.diagnostics).toEqual([]);
  });
});

test("programs of this machine over a system whose /lib64 leads elsewhere", async () => {
  const foreign = layer([{ name: "lib64", type: "2", linkname: "opt" }, { name: "opt/foreign" }]);
  const image = await buildInitramfs(
    options("elsewhere", {
      layers: [foreign],
      programs: [{ source: "bash" }],
      init: { kind: "generated", args: ["bash"] },
    }),
  );
  const links = new Map(image.entries.map(({ path, to }) => [path, to]));
  expect(links.get("/lib64")).toBe("opt");
  expect(links.get("/opt/ld-linux-x86-64.so.2")).toMatch(/ld-linux-x86-64/);
});

test("a file named as the end of an archive cannot be packed", async () => {
  const spec = options("trailer", { layers: [layer([{ name: "TRAILER!!!" }])] });
  await expect(buildInitramfs(spec)).rejects.toMatchObject({
    code: expect.stringMatching(/^INITRAMFS_/) as string,
  });
});

test("an image that keeps the layers' /init has nothing but the layers", async () => {
  const image = await buildInitramfs(options("keep", { layers: [layer(SYSTEM)], init: { kind: "layer" } }));
  expect(image.entries.map(({ path }) => path)).toEqual([
    "/bin",
    "/dev",
    "/dev/console",
    "/etc",
    "/etc/motd",
    "/init",
    "/usr",
    "/usr/bin",
    "/usr/bin/tool",
    "/usr/bin/tool2",
  ]);
  const none = options("none", { layers: [layer([{ name: "x" }])], init: { kind: "layer" } });
  await expect(buildInitramfs(none)).rejects.toThrow(/There is no \/init in the image/);
});

test("gives up when the caller does", async () => {
  const many = save(directory, makeTar(Array.from({ length: 50_000 }, (_, n) => ({ name: `${n}` }))));
  const signal = AbortSignal.timeout(20);
  const spec = options("aborted", { layers: [{ kind: "tar", source: many }], signal });
  await expect(buildInitramfs(spec)).rejects.toMatchObject({ code: "INITRAMFS_ABORTED" });
});

test("tells what it loses", async () => {
  const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
  const ping = { name: "bin/ping", data: TOOL, mode: 0o755 };
  const image = await buildInitramfs(
    options("lossy", {
      layers: [
        layer([
          { ...ping, pax: { "SCHILY.xattr.security.capability": capability } },
          { name: "a", pax: { "SCHILY.xattr.user.x": "1", "SCHILY.xattr.security.selinux": "system_u" } },
          { name: "b", pax: { "SCHILY.xattr.user.x": "2" } },
          { name: "gone", pax: { "SCHILY.xattr.user.gone": "2" } },
          { name: "gone" },
        ]),
      ],
      files: [{ target: "/bin/tool", content: TOOL, mode: 0o755 }],
    }),
  );
  expect(image.diagnostics.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
    "warning: The file capabilities of /bin/ping (cap_net_raw) are lost: an initramfs has none",
    'note: The extended attribute "security.selinux" of /a is lost: an initramfs has none',
    'note: The extended attribute "user.x" of /a and 1 others is lost: an initramfs has none',
  ]);
});

describe("the command", () => {
  async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
    let stdout = "";
    let stderr = "";
    const status = await main(args, {
      stdout: { write: (data) => (stdout += Buffer.from(data as string).toString()) },
      stderr: { write: (text) => (stderr += text) },
    });
    return { status, stdout, stderr };
  }
  const output = join(directory, "cli.cpio");
  const pack = (...args: string[]) => run("pack", "-o", output, "--compression", "none", ...args);
  const tar = save(directory, makeTar(SYSTEM));
  const images = ["one", "two"].map((reference) => ({
    layers: [{ tar: makeTar([...SYSTEM, { name: reference }]) }],
    reference,
    run: { Entrypoint: ["/bin/tool"], Cmd: [reference], Env: ["A=1"], WorkingDir: "/etc" },
  }));
  const layout = writeFiles(join(directory, "layout"), makeLayout(images));

  test("guesses what a layer is, and runs a container image's own command", async () => {
    expect(await pack("--layer", tar, "--", "/bin/tool")).toMatchObject({ status: 0, stderr: "" });
    expect(await pack("--layer", `oci=${layout}#two`)).toMatchObject({ status: 0, stderr: "" });
    const records = await run("cat", output, "/etc/appliance/init");
    expect(records.stdout.split("\0")).toEqual([
      "network=none",
      "cwd=/etc",
      "arg=/bin/tool",
      "arg=two",
      "env=A=1",
      "",
    ]);
    expect(await pack("--layer", `${layout}#one`)).toMatchObject({ status: 1 });
    expect(await pack("--layer", layout)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("several images") as string,
    });
  });

  test("takes a list as gen_init_cpio does", async () => {
    const list = save(
      directory,
      "# a list\ndir /x 0755 0 0\nfile /init /bin/busybox 0755 0 0\nnod /dev/console 0600 0 0 c 5 1\n",
      "list",
    );
    expect(await pack("--list", list, "--keep-init")).toMatchObject({ status: 0, stderr: "" });
    expect(await archive(output)).toEqual([
      "dev directory 755 0:0 0 2 0",
      "dev/console character 600 0:0 0 1 0",
      `init file 755 0:0 0 1 ${TOOL.length}`,
      "x directory 755 0:0 0 2 0",
    ]);
    expect(await pack("--layer", list, "--keep-init")).toMatchObject({ status: 0 });
  });

  test.each([
    [["--layer", "/no/such"], 1, /^error: The file "\/no\/such" does not exist/],
    [
      ["--layer", "/bin/busybox"],
      1,
      /^error: "\/bin\/busybox" is no layer: it is in the format elf\nhint: A layer is/,
    ],
    [
      ["--layer", tar, "--keep-init", "--", "x"],
      2,
      /"--" is for the generated \/init, but --keep-init was given/,
    ],
  ])("%j", async (args, status, message) => {
    expect(await pack(...args)).toMatchObject({ status, stderr: expect.stringMatching(message) as string });
  });
});
