/**
 * Builds the kernels of examples/hello and examples/redis from an empty cache by `kbuild matrix`, without ccache, and boots
 * each: Debian's 6.1 and 6.12 by gcc, hello on 6.12 also by clang, for arm64 and for riscv64. A kernel with boards of arm64
 * has their device trees.
 *
 *     node e2e/acceptance/run-acceptance.ts [--cache-dir DIR]
 *
 * Downloads 300 MB, builds eight kernels, which takes two CPU hours on slow processors, and ends with a table. With --cache-dir what is in
 * that directory is not made again, and it stays.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "@justenough-dev/tools/workspace";
import { appliance } from "../lib/command.ts";
import { freePort } from "../../packages/kernel/test/support/free-port.ts";

interface Resolved {
  readonly features: readonly string[];
  readonly config: Readonly<Record<string, string>>;
}

interface Row {
  readonly name: string;
  readonly arch: string;
  readonly compiler: string;
  readonly state: string;
  readonly options?: number;
  readonly imageBytes?: number;
  readonly cpuSeconds?: number;
  readonly kernel?: { readonly release: string; readonly dtbs?: string };
}

const { values } = parseArgs({ options: { "cache-dir": { type: "string" } } });
const scratch = mkdtempSync(join(tmpdir(), "acceptance-"));
const cache = ["--cache-dir", values["cache-dir"] ?? join(scratch, "cache")];
const failures: string[] = [];

async function resolved(spec: string): Promise<Resolved> {
  const { stdout, stderr } = await appliance(["check", spec, "--resolved", "--json"]);
  if (stdout === "") throw new Error(stderr);
  return (JSON.parse(stdout) as { spec: { kernel: Resolved } }).spec.kernel;
}

/** The kernels that the specs ask for; JSON is YAML. For the others hello goes without the options of its spec, which are a PC's. */
async function writeMatrix(): Promise<string> {
  const other = variant({ name: "debian-6.12_arm64_gcc_plain", arch: "arm64", compiler: "gcc" });
  const specs = ["examples/hello", "examples/redis", other];
  const [hello, redis, plain] = (await Promise.all(specs.map(resolved))) as [Resolved, Resolved, Resolved];
  const config = ({ features, config }: Resolved) => ({ "default-features": false, features, set: config });
  const others = ["arm64", "riscv64"];
  const matrix = {
    sources: ["debian:6.1", "debian:6.12"],
    arch: ["x86_64", ...others],
    compiler: ["gcc", "clang"],
    configs: {
      hello: config(hello),
      redis: config(redis),
      plain: config(plain),
      board: config({ ...plain, config: { ARCH_VEXPRESS: "y" } }),
    },
    exclude: [
      { source: "debian:6.1", compiler: "clang" },
      { compiler: "clang", config: "redis" },
      { arch: "x86_64", config: "plain" },
      { arch: "x86_64", config: "board" },
      { arch: "riscv64", config: "board" },
      ...others.flatMap((arch) => [
        { arch, source: "debian:6.1" },
        { arch, compiler: "clang" },
        { arch, config: "hello" },
        { arch, config: "redis" },
      ]),
    ],
  };
  const file = join(scratch, "matrix.yaml");
  writeFileSync(file, JSON.stringify(matrix, null, 2));
  return file;
}

function buildAll(matrix: string): readonly Row[] {
  const args = [
    join(root, "packages/kernel/src/cli.ts"),
    "matrix",
    matrix,
    "--no-ccache",
    "--json",
    ...cache,
  ];
  const { stdout } = spawnSync(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    maxBuffer: 1e9,
  });
  return JSON.parse(stdout) as readonly Row[];
}

/** An example with another kernel or for another machine. */
function variant({ name, arch, compiler }: Pick<Row, "name" | "arch" | "compiler">): string {
  const example = name.endsWith("redis") ? "redis" : "hello";
  const directory = join(scratch, name);
  mkdirSync(directory, { recursive: true });
  cpSync(join(root, "examples", example), directory, { recursive: true });
  const file = join(directory, "appliance.yaml");
  const text = readFileSync(file, "utf8");
  const version = /^debian-([\d.]+)_/.exec(name)?.[1] ?? "";
  const kernel = `kernel:\n  source: debian\n  version: "${version}"\n  compiler: ${compiler}\n`;
  const cut = text.indexOf("\nkernel:\n") + 1;
  const rest = cut === 0 || name.endsWith("plain") ? "" : text.slice(cut).replace("kernel:\n", "");
  writeFileSync(file, `${cut === 0 ? text : text.slice(0, cut)}\narch: ${arch}\n${kernel}${rest}`);
  return directory;
}

/** What went right, or an error. */
async function boot(row: Row): Promise<string> {
  if (row.name.endsWith("board")) {
    const trees = readdirSync(row.kernel?.dtbs ?? "", { recursive: true, encoding: "utf8" });
    const count = trees.filter((name) => name.endsWith(".dtb")).length;
    if (count === 0) throw new Error("there is no device tree");
    return `${count} device trees`;
  }
  const spec = variant(row);
  const check = (right: boolean, run: { readonly stdout: string; readonly stderr: string }): void => {
    if (!right) throw new Error(`${run.stdout}\n${run.stderr}`);
    if (/^kernel: compiling/m.test(run.stderr)) throw new Error("the matrix built another kernel");
  };
  if (!row.name.endsWith("redis")) {
    const run = await appliance(["run", spec, "--report", ...cache]);
    const machine = row.arch === "arm64" ? "aarch64" : row.arch;
    const greeting = `Hello from hello, running Linux ${row.kernel?.release} on ${machine}\n`;
    check(run.exitCode === 0 && run.stdout.includes(greeting) && run.left.length === 0, run);
    return /^power-on to \/init +(.*)$/m.exec(run.stdout)?.[1] ?? "";
  }
  const port = await freePort();
  const run = await appliance(["run", spec, "--detach", "--forward", `${port}:6379`, ...cache]);
  try {
    check(run.exitCode === 0, run);
    const { stdout } = spawnSync("redis-cli", ["-p", String(port), "info", "server"], { encoding: "utf8" });
    if (!stdout.includes(`os:Linux ${row.kernel?.release} `)) throw new Error(stdout);
    return "answers";
  } finally {
    const stopped = await appliance(["stop", spec, ...cache]);
    check(stopped.exitCode === 0, stopped);
  }
}

try {
  const rows = buildAll(await writeMatrix());
  console.log("\n| kernel | options | image, bytes | CPU s | boot |\n| --- | --: | --: | --: | --- |");
  for (const row of rows) {
    const { name, options, imageBytes, cpuSeconds } = row;
    let result = row.state;
    if (row.kernel !== undefined) {
      result = await boot(row).catch((error: unknown) => {
        failures.push(`${name}: ${String(error)}`);
        return "failed";
      });
    } else failures.push(`${name}: not built`);
    console.log(`| ${name} | ${options} | ${imageBytes} | ${cpuSeconds?.toFixed(0)} | ${result} |`);
  }
  console.log(`\n${rows.length - failures.length} passed, ${failures.length} failed`);
  for (const failure of failures) console.error(failure);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = failures.length === 0 ? 0 : 1;
