import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { launch } from "@justenough/qemu";
import { root } from "@justenough-dev/tools/workspace";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appliance, start } from "../lib/command.ts";

const directory = mkdtempSync(join(tmpdir(), "e2e-oci-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const initramfs = (...args: string[]) =>
  start(args, { command: [process.execPath, join(root, "packages/initramfs/src/cli.ts")] }).ended;

let kernel: string;
beforeAll(async () => {
  const built = await appliance(["build", "examples/shell", "--json"]);
  expect(built.exitCode, built.stderr).toBe(0);
  kernel = join((JSON.parse(built.stdout) as { directory: string }).directory, "kernel");
});

/** Lists the root file system in the guest, then says what it was told. */
const ENTRY = `#!/bin/sh
echo "args: $* $GREETING from $PWD"
cd /
find . -xdev ! -path './proc*' ! -path './sys*' ! -path './dev*' -exec stat -c '%n %F %a %u:%g %h' {} + | sort
cat /srv/message /srv/again
`;

/** Two layers by GNU tar; the upper one has a whiteout, an opaque directory and a hard link to a file of the lower. */
function layers(): Buffer[] {
  const lower = join(directory, "lower");
  for (const name of ["bin", "srv", "old", "gone", "proc", "sys", "dev"])
    mkdirSync(join(lower, name), { recursive: true });
  copyFileSync("/bin/busybox", join(lower, "bin/busybox"));
  for (const applet of ["sh", "find", "stat", "sort", "cat"])
    symlinkSync("busybox", join(lower, "bin", applet));
  writeFileSync(join(lower, "srv/message"), "from the lower layer\n");
  writeFileSync(join(lower, "old/hidden"), "hidden");
  writeFileSync(join(lower, "gone/file"), "gone");
  const upper = join(directory, "upper");
  for (const name of ["bin", "srv", "old"]) mkdirSync(join(upper, name), { recursive: true });
  writeFileSync(join(upper, "bin/entry"), ENTRY, { mode: 0o755 });
  writeFileSync(join(upper, ".wh.gone"), "");
  writeFileSync(join(upper, "old/.wh..wh..opq"), "");
  writeFileSync(join(upper, "old/new"), "new");
  writeFileSync(join(upper, "srv/message"), "");
  linkSync(join(upper, "srv/message"), join(upper, "srv/again"));
  /** Adds to an archive. */
  const pack = (from: string, owner: number, ...names: string[]): string => {
    const args = ["--format=posix", `--owner=${owner}`, `--group=${owner}`, "--mode=u+rwX,go+rX,go-w"];
    execFileSync("tar", ["-C", from, ...args, "-rf", `${from}.tar`, ...names]);
    return `${from}.tar`;
  };
  const first = pack(lower, 0, "bin", "old", "gone", "proc", "sys", "dev");
  pack(lower, 3, "srv");
  const second = pack(upper, 0, "bin", ".wh.gone", "old", "srv/message", "srv/again");
  execFileSync("tar", [
    "-C",
    upper,
    "--mode=750",
    "--owner=0",
    "--group=0",
    "--no-recursion",
    "-rf",
    second,
    ".",
  ]);
  // What remains is a hard link whose file is in the lower layer.
  execFileSync("tar", ["--delete", "-f", second, "srv/message"]);
  return [readFileSync(first), readFileSync(second)];
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** An OCI image layout, image-spec/image-layout.md. */
function layout(tars: readonly Buffer[]): string {
  const at = join(directory, "layout");
  const save = (path: string, bytes: Uint8Array): void => {
    mkdirSync(dirname(join(at, path)), { recursive: true });
    writeFileSync(join(at, path), bytes);
  };
  const blob = (type: string, bytes: Uint8Array) => {
    save(`blobs/sha256/${sha256(bytes)}`, bytes);
    return {
      mediaType: `application/vnd.oci.image.${type}`,
      digest: `sha256:${sha256(bytes)}`,
      size: bytes.length,
    };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const config = {
    os: "linux",
    architecture: "amd64",
    config: {
      Entrypoint: ["/bin/entry"],
      Cmd: ["one", "two"],
      Env: ["PATH=/bin", "GREETING=hello"],
      WorkingDir: "/srv",
    },
    rootfs: { type: "layers", diff_ids: tars.map((tar) => `sha256:${sha256(tar)}`) },
  };
  const [lower, upper] = tars as [Buffer, Buffer];
  const manifest = {
    schemaVersion: 2,
    config: blob("config.v1+json", json(config)),
    layers: [blob("layer.v1.tar+gzip", gzipSync(lower)), blob("layer.v1.tar+zstd", zstdCompressSync(upper))],
  };
  const annotations = { "org.opencontainers.image.ref.name": "box:1" };
  save("oci-layout", json({ imageLayoutVersion: "1.0.0" }));
  save(
    "index.json",
    json({ schemaVersion: 2, manifests: [{ ...blob("manifest.v1+json", json(manifest)), annotations }] }),
  );
  return at;
}

test("a container image becomes an initramfs that runs its entrypoint, with the tree that its layers make", async () => {
  const image = join(directory, "image");
  const source = layout(layers());
  const packed = await initramfs("pack", "-o", image, "--layer", source, "--json");
  expect(packed.exitCode, packed.stderr).toBe(0);
  expect(packed.stderr).toBe("");
  const { entries } = JSON.parse(packed.stdout) as {
    entries: { path: string; why: string; hardLinkTo?: string }[];
  };
  const why = new Map(entries.map(({ path, why }) => [path, why]));
  expect(why.get("/bin/busybox")).toBe("layer 1 of box:1");
  expect(why.get("/bin/entry")).toBe("layer 2 of box:1");

  const vm = await launch(
    { kernel, initrd: [image], cmdline: "console=ttyS0 panic=-1 quiet", memory: 256 },
    { deadlines: { total: 120_000 } },
  );
  try {
    const result = await vm.wait();
    const text = vm.console.text().replaceAll("\r\n", "\n");
    expect(result.kind, text).toBe("poweroff");
    // No file that the upper layer took away; of the kernel's own archive there is /root.
    expect(text.slice(text.indexOf("args: ")).split("\n").slice(0, 24)).toEqual([
      "args: one two hello from /srv",
      expect.stringMatching(/^\. directory 750 0:0 \d+$/) as string,
      "./bin directory 755 0:0 2",
      "./bin/busybox regular file 755 0:0 1",
      "./bin/cat symbolic link 777 0:0 1",
      "./bin/entry regular file 755 0:0 1",
      "./bin/find symbolic link 777 0:0 1",
      "./bin/sh symbolic link 777 0:0 1",
      "./bin/sort symbolic link 777 0:0 1",
      "./bin/stat symbolic link 777 0:0 1",
      "./etc directory 755 0:0 3",
      "./etc/appliance directory 755 0:0 2",
      "./etc/appliance/init regular file 644 0:0 1",
      "./init regular file 755 0:0 1",
      "./old directory 755 0:0 2",
      "./old/new regular file 644 0:0 1",
      "./root directory 700 0:0 2",
      "./run directory 755 0:0 2",
      "./srv directory 755 3:3 2",
      "./srv/again regular file 644 3:3 2",
      "./srv/message regular file 644 3:3 2",
      "./tmp directory 1777 0:0 2",
      "from the lower layer",
      "from the lower layer",
    ]);
  } finally {
    await vm.kill();
  }
});
