/**
 * Compares our conf with that of another project on its own tree: all*config, randconfigs where its conf takes a seed,
 * each defconfig that is named, and of each one its minimum, what that leaves open, and what comes of it.
 *
 *   node packages/kconfig/test/reference/run-other.ts --tree DIR --conf PROGRAM [--root FILE] [--share I/N]
 *     [--sync] [NAME=VALUE]… [DEFCONFIG]…
 *
 * DIR is where the project's Makefile runs conf, PROGRAM the conf that it built there (`make allnoconfig` does in most).
 * Both sides run in a directory whose entries stand for those of DIR, so that nothing is written there. Names of
 * defconfigs are relative to DIR; `--share 0/10` takes every tenth of them, `--sync` adds syncconfig. With
 * B=/src/busybox and so on:
 *
 *   BusyBox   run-other.ts --tree $B --conf $B/scripts/kconfig/conf --root Config.in KERNELVERSION=1.37.0
 *             KCONFIG_NOTIMESTAMP=1 configs/android_defconfig              (after `make gen_build_files`)
 *   U-Boot    run-other.ts --tree $U --conf $U/scripts/kconfig/conf srctree=$U ARCH=arm SRCARCH=.. CC=gcc
 *             KERNELVERSION=2026.10 UBOOTVERSION=2026.10 configs/sandbox_defconfig (those that include others: after cpp)
 *   Buildroot run-other.ts --tree $R --conf $R/output/build/buildroot-config/conf --root Config.in
 *             BASE_DIR=$R/output HOST_GCC_VERSION=12 configs/qemu_x86_64_defconfig
 *   coreboot  run-other.ts --tree $C --conf $C/build/util/kconfig/conf --root src/Kconfig configs/config.asus_p2b
 *   Xen       run-other.ts --tree $X/xen --conf $X/xen/tools/kconfig/conf srctree=$X/xen ARCH=x86_64 SRCARCH=x86
 *             CC=gcc LD=ld XEN_FULLVERSION=4.22 arch/x86/configs/x86_64_defconfig
 *   barebox   run-other.ts --tree $A --conf $A/scripts/kconfig/conf srctree=$A ARCH=arm SRCARCH=arm CC=gcc LD=ld
 *             arch/arm/configs/multi_v8_defconfig
 *   crosstool-NG  run-other.ts --tree $T --conf $T/kconfig/conf --root config/config.in CT_VERSION=1.28 CT_VCHECK=
 *             samples/avr/crosstool.config             (after ./bootstrap, ./configure and make)
 *   uClibc-ng run-other.ts --sync --tree $L --conf $L/extra/config/conf --root extra/Configs/Config.in ARCH=arm VERSION=1.0.50
 *             extra/Configs/defconfigs/arm/defconfig   (after `make -C extra/config conf`)
 *   Toybox    run-other.ts --tree $Y --conf $Y/kconfig/conf KCONFIG_NOTIMESTAMP=1 --root Config.in FILE…
 *             (after scripts/genconfig.sh and `make -f kconfig/Makefile kconfig/conf`; FILE: any parts of a .config)
 *   OpenWrt   node --stack-size=3900 run-other.ts --sync --tree $W --conf $W/scripts/config/conf --root Config.in FILE…
 *             (after `make prepare-tmpinfo` and `make -C scripts/config conf`; FILE: what a user chose, in the tree)
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { runConf } from "../../src/conf/conf.ts";
import { detectDialect } from "../../src/engine/dialect-signs.ts";
import type { FileCache } from "./memory-host.ts";
import { memoryHost } from "./memory-host.ts";
import { SEEDS, compare, runInDirectory } from "./parity.ts";
import type { Both } from "./parity.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tree: { type: "string" },
    conf: { type: "string" },
    root: { type: "string", default: "Kconfig" },
    share: { type: "string", default: "0/1" },
    sync: { type: "boolean", default: false },
  },
});
if (values.tree === undefined || values.conf === undefined) throw new Error("--tree and --conf are needed");
const tree = resolve(values.tree);
const conf = { program: resolve(values.conf), popenCache: "" };
const [index = 0, count = 1] = values.share.split("/").map(Number);
const env = Object.fromEntries(
  positionals
    .flatMap((word) => [/^(\w+)=(.*)$/s.exec(word)?.slice(1) ?? []])
    .filter((pair) => pair.length === 2),
) as Record<string, string>;
const defconfigs = positionals.filter((word) => !/^\w+=/.test(word)).filter((_, at) => at % count === index);
const cache: FileCache = new Map();
const dialect = detectDialect((path) => {
  const file = join(tree, path);
  return existsSync(file) ? readFileSync(file, "latin1") : undefined;
});
const answers = new Map<string, string>();
const totals = new Map<string, { same: number; different: number }>();

function shell(command: string): string {
  let answer = answers.get(command);
  if (answer === undefined) {
    const run = spawnSync("/bin/sh", ["-c", command], {
      cwd: tree,
      env: { PATH: process.env["PATH"] ?? "", ...env },
      encoding: "latin1",
      stdio: ["ignore", "pipe", "ignore"],
    });
    answer = run.stdout;
    answers.set(command, answer);
  }
  return answer;
}

function both(
  args: readonly string[],
  files: Readonly<Record<string, string>>,
  more: Record<string, string> = {},
): Both {
  const variables = { ...env, ...more };
  const all = [...args, values.root];
  const host = memoryHost({ env: variables, files, cache, shell, tree });
  const status = runConf({ args: all, dialect, program: conf.program }, host);
  const ours = {
    status,
    stdout: host.stdout(),
    stderr: host.stderr(),
    files: Object.fromEntries(host.files),
  };
  return { ours, theirs: runInDirectory(conf, all, variables, files, { prepare: linkTree }) };
}

// What conf writes goes to include/ and to hidden files.
function linkTree(directory: string): void {
  for (const name of readdirSync(tree)) {
    if (name !== "include" && !name.startsWith(".")) symlinkSync(join(tree, name), join(directory, name));
  }
  for (const name of ["include/config", "include/generated"])
    mkdirSync(join(directory, name), { recursive: true });
}

function take(kind: string, name: string, run: Both): string | undefined {
  const found = compare(`${name} ${kind}`, run);
  for (const text of found) console.log(text);
  for (const [what, same] of [
    [kind, found.length === 0],
    [
      `${kind}: what is written`,
      Object.entries(run.theirs.files).every(([file, text]) => run.ours.files[file] === text),
    ],
  ] as const) {
    const total = totals.get(what) ?? { same: 0, different: 0 };
    totals.set(what, total);
    if (same) total.same++;
    else total.different++;
  }
  return run.theirs.files[kind === "savedefconfig" ? "minimum" : ".config"];
}

const letters = dialect.arguments === "letters";
const short: Readonly<Record<string, string>> = {
  allnoconfig: "-n",
  allyesconfig: "-y",
  allmodconfig: "-m",
  alldefconfig: letters ? "-d" : "-A",
  randconfig: "-r",
  defconfig: "-D",
  savedefconfig: "-S",
  listnewconfig: "-l",
  olddefconfig: "-d",
  syncconfig: "-s",
  oldconfig: "-o",
};

// The options for a mode in the dialect's way.
function optionsOf(mode: string, file?: string): readonly string[] {
  if (dialect.arguments === "long") return [`--${mode}${file === undefined ? "" : `=${file}`}`];
  const letter = short[mode] ?? "";
  return file === undefined ? [letter] : [letter, file];
}

for (const file of defconfigs) {
  const written = take("defconfig", file, both(optionsOf("defconfig", file), {}));
  if (written === undefined) continue;
  if (letters) {
    take("oldconfig", file, both(optionsOf("oldconfig"), { ".config": written }));
    // Nobody answers.
    const given = readFileSync(join(tree, file), "latin1");
    take("oldconfig of the file", file, both(optionsOf("oldconfig"), { ".config": given }));
    continue;
  }
  if (values.sync) take("syncconfig", file, both(optionsOf("syncconfig"), { ".config": written }));
  const minimum = take(
    "savedefconfig",
    file,
    both(optionsOf("savedefconfig", "minimum"), { ".config": written }),
  );
  if (minimum === undefined) continue;
  take("listnewconfig", file, both(optionsOf("listnewconfig"), { ".config": minimum }));
  take("olddefconfig", file, both(optionsOf("olddefconfig"), { ".config": minimum }));
}
if (index === 0) {
  for (const mode of ["allnoconfig", "allyesconfig", "allmodconfig", "alldefconfig"]) {
    take(mode, "", both(optionsOf(mode), {}));
  }
  // OpenWrt's own goes on for ever when a choice stays at n.
  if (!letters && !dialect.clearsFirst) {
    for (const seed of SEEDS) {
      take("randconfig", seed, both(optionsOf("randconfig"), {}, { KCONFIG_SEED: seed }));
    }
  }
}
let different = 0;
for (const [kind, total] of totals) {
  console.log(`${kind}: ${total.same} identical, ${total.different} different`);
  different += total.different;
}
process.exitCode = different > 0 ? 1 : 0;
