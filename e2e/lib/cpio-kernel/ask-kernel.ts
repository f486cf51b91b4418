/** Boots a kernel with an initramfs and tells what it made of it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "@justenough-dev/tools/workspace";
import { launch } from "@justenough/qemu";

export interface KernelImage {
  readonly image: string;
  readonly release: string;
}

/** Debian's own kernel, from the cache or by apt; `name` is the package that depends on the newest of its series. */
export function distroKernel(name: string): KernelImage {
  const depends = execFileSync("apt-cache", ["depends", name], { encoding: "utf8" });
  const newest = /Depends: (linux-image-\S+)/.exec(depends)?.[1] ?? name;
  const cli = join(root, "packages/kernel/src/cli.ts");
  const args = [cli, "distro", "--package", newest, "--json"];
  return JSON.parse(
    execFileSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
  ) as KernelImage;
}

/** Compiles the program that reports; it needs no library in the guest. */
export function compileReporter(): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "cpio-kernel-"));
  try {
    const program = join(directory, "init");
    execFileSync("cc", ["-O1", "-static", "-s", "-o", program, join(import.meta.dirname, "init.c")]);
    return readFileSync(program);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export interface Report {
  /** One line a name, as `describeTree` makes them. */
  readonly lines: readonly string[];
  /** The kernel's words if it called the unpacking a failure. */
  readonly failure: string | undefined;
  /** Undefined if the guest has reported; otherwise how the machine ended. */
  readonly silence: string | undefined;
}

const COMMAND_LINE =
  "quiet panic=-1 rdinit=/init nokaslr mitigations=off no_timer_check tsc=reliable cryptomgr.notests " +
  // What a guest of this kind has no use for and takes the longest in emulation.
  "initcall_blacklist=load_system_certificate_list,jent_mod_init,bpf_tcp_ca_kfunc_init,bpf_dummy_struct_ops_init," +
  "cubictcp_register,inet6_init,crypto_kdf108_init,init_encrypted,slab_sysfs_init,slab_late_init,deferred_probe_initcall";

export async function askKernel(
  kernel: KernelImage,
  initramfs: Uint8Array,
  options: { readonly more?: string; readonly seconds?: number } = {},
): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), "cpio-kernel-"));
  try {
    const report = join(directory, "report");
    // As a file, for bytes are filled up to a multiple of four, and some images end elsewhere.
    const image = join(directory, "initramfs");
    writeFileSync(image, initramfs);
    const port = [
      "-chardev",
      `file,id=report,path=${report}`,
      "-device",
      "isa-debugcon,iobase=0xe9,chardev=report",
    ];
    await using vm = await launch(
      {
        kernel: kernel.image,
        initrd: [image],
        cmdline: `${COMMAND_LINE} ${options.more ?? ""}`,
        preset: "lean",
        memory: 256,
        rng: false,
        extraArgs: port,
      },
      { deadlines: { total: (options.seconds ?? 60) * 1000 } },
    );
    const { kind } = await vm.wait();
    return readReport(readFileSync(report, "latin1"), kind);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function readReport(text: string, end: string): Report {
  const lines = text.split("\n");
  const isWhole = lines.at(-2) === "END";
  const log = lines.filter((line) => line.startsWith("> ")).map((line) => decodeURIComponent(line.slice(2)));
  // The words differ where a RAM disk is compiled in.
  const failure = log
    .map((line) => /Initramfs unpacking failed: (.*)$|rootfs image is not initramfs \((.*)\)/.exec(line))
    .find((match) => match !== null);
  return {
    lines: lines.filter((line) => line.startsWith("/")),
    failure: failure?.[1] ?? failure?.[2],
    silence: isWhole ? undefined : end,
  };
}
