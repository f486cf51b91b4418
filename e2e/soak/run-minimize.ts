/**
 * Minimizes a small appliance that is killed at random moments and started again, and compares the end with an undisturbed
 * one; then builds the result, runs it, and turns off what it is said to need, one by one, and looks that it is missed:
 *
 *   node e2e/soak/run-minimize.ts [--kills N] [--seed S] [--cache DIR]
 *
 * Most options are required, so that few tests are made.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "@justenough-dev/tools/workspace";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "6" },
    seed: { type: "string", default: "261127" },
    cache: { type: "string" },
  },
});

const directory = await mkdtemp(join(tmpdir(), "justenough-run-minimize-"));
const cache = values.cache === undefined ? [] : ["--cache-dir", values.cache];

// hello, and the reasons of its own for all but the screen, scripts, a second compression and two system calls.
const FREE = new Set([
  "BINFMT_SCRIPT",
  "RD_GZIP",
  "RD_ZSTD",
  "SIGNALFD",
  "TIMERFD",
  "VT",
  "VGA_CONSOLE",
  "PVH",
]);

async function spec(
  name: string,
  required: readonly string[],
  more: { readonly defconfig?: string; readonly off?: string } = {},
): Promise<string> {
  const lines = required.map((symbol) => `    ${symbol}: y`);
  if (more.off !== undefined) lines.push(`    ${more.off}: n`);
  const file = join(directory, `${name}.yaml`);
  const text = `name: ${name}
run: [/bin/hello]
programs: [{ compile: ${root}/examples/hello/hello.c, target: /bin/hello, flags: [-Os, -static] }]
kernel:
  features: [serial]${more.defconfig === undefined ? "" : `\n  defconfig: ${more.defconfig}`}
  config:
    CC_OPTIMIZE_FOR_PERFORMANCE: n
    CC_OPTIMIZE_FOR_SIZE: y
    ACPI: n
    PCI: n
${lines.join("\n")}
`;
  await writeFile(file, text);
  return file;
}

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
}

// `killAfter` counts from the first kernel that is compiled to be tried: before that nothing can be lost.
function appliance(args: readonly string[], killAfter?: number): Promise<Ended> {
  const child = spawn(process.execPath, [join(root, "packages/appliance/src/cli.ts"), ...args, ...cache], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => {
    process.stderr.write(chunk);
    stderr = (stderr + chunk.toString()).slice(-10_000);
    if (killAfter === undefined || timer !== undefined || !stderr.includes("kernel: compiling")) return;
    timer = setTimeout(() => child.kill("SIGKILL"), killAfter);
  });
  return new Promise((done) =>
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      done({ status, signal, stdout });
    }),
  );
}

function minimize(file: string, killAfter?: number): Promise<Ended> {
  return appliance(
    ["minimize", file, "-o", file.replace(/yaml$/, "defconfig"), "--json", "--budget", "24h"],
    killAfter,
  );
}

async function runs(file: string): Promise<boolean> {
  const { status, stdout } = await appliance(["run", file, "--quiet", "--timeout", "10m"]);
  return status === 0 && stdout.startsWith("Hello from ");
}

interface Result {
  readonly end: { readonly options: number; readonly bytes: number };
  readonly untried: readonly string[];
  readonly needed: readonly { readonly symbol: string; readonly why: string }[];
  readonly curve: readonly unknown[];
}

// What of the features is on and is not to be tried.
const features = await readdir(join(root, "packages/kernel/features"));
const base = features.filter((name) => /^(base|ptys|poweroff)(\.x86_64)?\.config$/.test(name));
const texts = await Promise.all(
  base.map((name) => readFile(join(root, "packages/kernel/features", name), "utf8")),
);
const on = texts.flatMap((text) => [...text.matchAll(/^CONFIG_(\w+)=y$/gm)].map(([, symbol = ""]) => symbol));
const LEFT_OUT = /^(CC_OPTIMIZE_FOR_PERFORMANCE|ACPI|PCI|BASE_FULL)$/;
// More than one feature may want a symbol.
const required = [...new Set(on)].filter((symbol) => !FREE.has(symbol) && !LEFT_OUT.test(symbol));

try {
  // Two names: two initramfs, so that neither knows the other's verdicts.
  const whole = await minimize(await spec("undisturbed", required));
  if (whole.status !== 0) throw new Error("the undisturbed one failed");
  const undisturbed = JSON.parse(whole.stdout) as Result;
  if (undisturbed.untried.length > 0) throw new Error("the budget was too small for the undisturbed one");
  console.log("undisturbed:", summary(undisturbed));
  const file = await spec("killed", required);
  let state = Number(values.seed);
  let kills = 0;
  for (;;) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const after = kills < Number(values.kills) ? (state / 2_147_483_648) * 60_000 : undefined;
    const { status, signal, stdout } = await minimize(file, after);
    if (status === 0) {
      const killed = JSON.parse(stdout) as Result;
      console.log(`killed ${kills} times:`, summary(killed));
      const same = ["options", "bytes"].every(
        (key) => killed.end[key as "bytes"] === undisturbed.end[key as "bytes"],
      );
      if (!same || killed.untried.length > 0 || kills === 0) process.exitCode = 1;
      break;
    }
    if (after === undefined || signal !== "SIGKILL") throw new Error(`it ended with ${status ?? signal}`);
    kills++;
    console.log(`killed after ${(after / 1000).toFixed(1)} s`);
  }
  const defconfig = join(directory, "undisturbed.defconfig");
  const good = await runs(await spec("result", required, { defconfig }));
  console.log(`the result ${good ? "runs" : "does not run"}`);
  if (!good) process.exitCode = 1;
  for (const { symbol: off } of undisturbed.needed) {
    const missed = !(await runs(await spec("without", required, { defconfig, off })));
    console.log(
      `${off} ${missed ? "is missed" : "is not missed by the program: only /init or the report went without"}`,
    );
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

function summary({ end, needed, curve, untried }: Result): string {
  const names = needed.map(({ symbol }) => symbol).join(" ");
  return `${end.options} options, ${end.bytes} bytes, ${curve.length} tests, needed: ${names}; not tried: ${untried.length}`;
}
