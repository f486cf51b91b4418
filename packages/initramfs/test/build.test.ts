import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { buildInitramfs, type BuildInitramfsOptions, readInitramfs } from "../src/index.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "initramfs-build-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function options(name: string, more: Partial<BuildInitramfsOptions> = {}): BuildInitramfsOptions {
  return {
    programs: [{ source: "bash" }, { source: "ls" }, { source: "env", target: "/opt/bin/umgebung" }],
    files: [
      { target: "/etc/motd", content: "hello\n" },
      { target: "/etc/key", content: "secret", mode: 0o600 },
    ],
    directories: [{ target: "/var/empty", mode: 0o700 }],
    links: [{ target: "/etc/greeting", to: "motd" }],
    nodes: [{ target: "/dev/kmsg", type: "character", major: 1, minor: 11, mode: 0o644 }],
    init: { kind: "generated", args: ["bash"], hostname: "box" },
    compression: "none",
    arch: "x86_64",
    output: join(directory, name),
    ...more,
  };
}

// Who is root already needs no user namespace, and in a chroot could not have one.
const AS_ROOT = process.getuid?.() === 0 ? [] : ["-r"];

describe("buildInitramfs", () => {
  test("writes what GNU cpio reads back", async () => {
    const image = await buildInitramfs(options("plain"));
    const listed = execFileSync("cpio", ["-itv", "--quiet", "--numeric-uid-gid"], {
      input: readFileSync(image.path),
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    })
      .trimEnd()
      .split("\n");
    expect(listed.length).toBe(image.entries.length);
    for (const [index, { path, size, type, to }] of image.entries.entries()) {
      const line = listed[index] as string;
      expect(line.endsWith(to === undefined ? ` ${path.slice(1)}` : ` ${path.slice(1)} -> ${to}`), line).toBe(
        true,
      );
      expect(line).toMatch(/^\S+ +\d+ 0 +0 .* Jan +1 +1970 /);
      if (type === "file") expect(line).toMatch(new RegExp(`^-[rwxst-]{9} +1 0 +0 +${size} `));
    }
    expect(listed.find((line) => line.endsWith(" etc/key"))).toMatch(/^-rw------- /);
    expect(listed.find((line) => line.endsWith(" dev/kmsg"))).toMatch(/^crw-r--r-- .* 1, +11 /);
    expect(listed.find((line) => line.endsWith(" tmp"))).toMatch(/^drwxrwxrwt /);
    expect(image.unpackedSize).toBe(statSync(image.path).size);
    expect(image.diagnostics).toEqual([]);
    expect(image.entries.every(({ why }) => why.length > 0)).toBe(true);
    const target = image.entries.find(({ path }) => path === "/opt/bin/umgebung");
    expect(target).toMatchObject({ why: 'program "env"', mode: 0o755, size: statSync("/usr/bin/env").size });
  });

  test("gives the same bytes again, in whatever order the lists are and whatever the umask", async () => {
    const first = await buildInitramfs(options("first", { compression: "gzip" }));
    const { programs, files, ...rest } = options("second", { compression: "gzip" });
    const umask = process.umask(0o077);
    try {
      const second = await buildInitramfs({
        ...rest,
        programs: [...programs].reverse(),
        files: [...(files ?? [])].reverse(),
        cacheDir: join(directory, "other-cache"),
      });
      expect(second.sha256).toBe(first.sha256);
      expect(second.entries).toEqual(first.entries);
    } finally {
      process.umask(umask);
    }
  });

  test("compresses to the same content", async () => {
    const plain = readFileSync((await buildInitramfs(options("c0"))).path);
    const gzip = await buildInitramfs(options("c1", { compression: "gzip" }));
    const zstd = await buildInitramfs(options("c2", { compression: "zstd" }));
    expect(gunzipSync(readFileSync(gzip.path)).equals(plain)).toBe(true);
    expect(zstdDecompressSync(readFileSync(zstd.path)).equals(plain)).toBe(true);
    for (const image of [gzip, zstd]) {
      expect(image.unpackedSize).toBe(plain.length);
      expect(image.size).toBe(statSync(image.path).size);
      expect(image.sha256).toBe(createHash("sha256").update(readFileSync(image.path)).digest("hex"));
      const names: string[] = [];
      for (const { name } of readInitramfs(image.path)) names.push(`/${name}`);
      expect(names).toEqual(image.entries.map(({ path }) => path));
    }
    // No name, no time: RFC 1952's FLG and MTIME.
    expect([...readFileSync(gzip.path).subarray(3, 8)]).toEqual([0, 0, 0, 0, 0]);
  });

  test("keeps the links on the way to a program", async () => {
    const { entries } = await buildInitramfs(options("links", { programs: [{ source: "/bin/sh" }] }));
    const links = new Map(entries.filter(({ to }) => to !== undefined).map(({ path, to }) => [path, to]));
    expect(links.get("/bin")).toBe("usr/bin");
    expect(links.get("/lib64")).toBe("usr/lib64");
    expect(entries.some(({ path, type }) => path === "/usr/bin/bash" && type === "file")).toBe(false);
    expect(links.has("/usr/bin/sh")).toBe(true);
  });

  test("makes libraries findable that the machine finds by its configuration", async () => {
    const root = join(directory, "root");
    for (const name of ["usr/bin", "usr/lib64", "lib/x86_64-linux-gnu", "opt/private", "etc"]) {
      mkdirSync(join(root, name), { recursive: true });
    }
    symlinkSync("usr/lib64", join(root, "lib64"));
    const copy = (from: string, to: string): void =>
      writeFileSync(join(root, to), readFileSync(from), { mode: 0o755 });
    copy("/usr/bin/true", "usr/bin/true");
    copy("/lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2");
    copy("/lib/x86_64-linux-gnu/libc.so.6", "opt/private/libc.so.6");
    writeFileSync(join(root, "etc/ld.so.conf"), "/opt/private\n");
    const spec = options("cache", { sysroot: root, programs: [{ source: "true" }], files: [], links: [] });
    const image = await buildInitramfs({ ...spec, init: { kind: "generated", args: ["true"] } });
    expect(image.entries.find(({ path }) => path === "/etc/ld.so.cache")?.why).toContain("libc.so.6");
    // glibc's own loader, confined to the unpacked image, must agree.
    const unpacked = join(directory, "unpacked");
    mkdirSync(unpacked);
    execFileSync("cpio", ["-id", "--quiet", "--no-absolute-filenames"], {
      cwd: unpacked,
      input: readFileSync(image.path),
    });
    const { status, stderr } = spawnSync("unshare", [...AS_ROOT, "--root", unpacked, "/usr/bin/true"], {
      encoding: "utf8",
    });
    expect(status, stderr).toBe(0);
    rmSync(join(unpacked, "etc/ld.so.cache"));
    expect(spawnSync("unshare", [...AS_ROOT, "--root", unpacked, "/usr/bin/true"]).status).toBe(127);
  });

  test("refuses a program that would not find its libraries at its new place", async () => {
    const build = join(directory, "origin");
    mkdirSync(join(build, "lib"), { recursive: true });
    writeFileSync(join(build, "x.c"), "int x(void) { return 1; }");
    writeFileSync(join(build, "main.c"), "int x(void); int main(void) { return x(); }");
    const cc = (...args: string[]): unknown => execFileSync("cc", args, { cwd: build });
    cc("-shared", "-fPIC", "-o", "lib/libx.so", "x.c");
    cc("-o", "main", "main.c", "-Llib", "-lx", "-Wl,-rpath,$ORIGIN/lib");
    const program = { source: join(build, "main") };
    await buildInitramfs(options("stays", { programs: [{ source: "bash" }, program] }));
    const moved = options("moved", {
      programs: [{ source: "bash" }, { ...program, target: "/usr/bin/main" }],
    });
    await expect(buildInitramfs(moved)).rejects.toMatchObject({
      code: "INITRAMFS_UNRESOLVED",
      message: expect.stringContaining('"/usr/bin/main" needs the library "libx.so"') as string,
    });
    expect(existsSync(moved.output)).toBe(false);
  });

  test.each([
    [
      { files: [{ target: "/usr/bin/bash", content: "no" }] },
      "INITRAMFS_COLLISION",
      /"\/usr\/bin\/bash" in the image is asked for twice: .*program "bash"/,
    ],
    [
      { files: [{ target: "/init/x", content: "" }] },
      "INITRAMFS_COLLISION",
      /"\/init" in the image would be both a file \(generated \/init\) and the directory of "\/init\/x"/,
    ],
    [
      { programs: [{ source: "no-such-thing" }] },
      "INITRAMFS_NOT_FOUND",
      /There is no program "no-such-thing"/,
    ],
    [{ files: [{ target: "/x", source: "/no/such" }] }, "INITRAMFS_NOT_FOUND", /"\/no\/such" for "\/x"/],
    [{ files: [{ target: "../x", content: "" }] }, "INITRAMFS_INVALID_OPTION", /not an absolute path/],
    [{ files: [{ target: "/a/../x", content: "" }] }, "INITRAMFS_INVALID_OPTION", /contains "\.\."/],
    [{ files: [{ target: "/x" }] }, "INITRAMFS_INVALID_OPTION", /either "source" or "content"/],
    [{ compiler: "no-such-cc", cacheDir: "/tmp/none" }, "INITRAMFS_TOOL", /no C compiler "no-such-cc"/],
    [
      { init: { kind: "generated" as const, settings: [{ path: "/etc/x", value: "1" }] } },
      "INITRAMFS_INVALID_OPTION",
      /no file below \/proc or \/sys/,
    ],
    [{ init: { kind: "generated" as const, args: ["a\0b"] } }, "INITRAMFS_INVALID_OPTION", /NUL/],
  ])("reports %j", async (more, code, message) => {
    const spec = options("never", more);
    await expect(buildInitramfs(spec)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    expect(existsSync(spec.output)).toBe(false);
  });

  test("a directory is taken whole, with what is needed by what is in it", async () => {
    const app = join(directory, "app");
    mkdirSync(join(app, "bin"), { recursive: true });
    mkdirSync(join(app, "data"));
    copyFileSync("/usr/bin/ls", join(app, "bin/tool"));
    symlinkSync("tool", join(app, "bin/alias"));
    writeFileSync(join(app, "bin/run"), "#!/bin/bash\n", { mode: 0o755 });
    writeFileSync(join(app, "data/example.pl"), "#!/no/such/perl\n", { mode: 0o755 });
    writeFileSync(join(app, "data/text"), "text");
    for (const [target, place] of [
      [undefined, app],
      ["/opt/app", "/opt/app"],
    ] as const) {
      const image = await buildInitramfs(options("whole", { programs: [{ source: app, target }] }));
      const paths = image.entries.map(({ path }) => path);
      const own = ["bin/alias", "bin/run", "bin/tool", "data/example.pl", "data/text"];
      expect(paths).toEqual(expect.arrayContaining(own.map((name) => join(place, name))));
      expect(paths.some((path) => path.includes("/libselinux.so"))).toBe(true);
      expect(paths).toContain("/usr/bin/bash");
      const messages = image.diagnostics.map(({ message }) => message);
      expect(messages).toEqual([expect.stringContaining("/no/such/perl") as string]);
    }
  });

  test("leaves nothing behind when the caller gives up", async () => {
    const controller = new AbortController();
    const spec = options("aborted", {
      signal: controller.signal,
      onProgress: ({ phase }) => phase === "pack" && controller.abort(),
    });
    await expect(buildInitramfs(spec)).rejects.toMatchObject({ code: "INITRAMFS_ABORTED" });
    expect(readdirSync(directory).filter((name) => name.startsWith("aborted"))).toEqual([]);
  });

  test("leaves nothing behind when the disk is full", () => {
    const mount = join(directory, "small");
    mkdirSync(mount);
    const script = `mount -t tmpfs -o size=256k none ${mount} && "$0" "$@"; status=$?; ls -A ${mount}; exit $status`;
    const cli = new URL("../src/cli.ts", import.meta.url).pathname;
    const args = [
      ...AS_ROOT,
      "-m",
      "sh",
      "-c",
      script,
      process.execPath,
      cli,
      "pack",
      "-o",
      `${mount}/image`,
      "--",
      "bash",
    ];
    const { status, stdout, stderr } = spawnSync("unshare", args, { encoding: "utf8" });
    expect(stderr).toBe(
      `error: Cannot write "${mount}/image": no space left on the disk\nhint: Free some space, or choose another place; nothing half-written was left\n`,
    );
    expect(status).toBe(1);
    expect(stdout).toBe("");
  });
});
