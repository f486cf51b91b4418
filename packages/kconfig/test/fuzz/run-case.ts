/** Runs cases with C and with ours. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runConf } from "../../src/conf/conf.ts";
import { buildConf } from "../reference/c-conf.ts";
import { keptDirectory } from "../reference/cache.ts";
import { memoryHost } from "../reference/memory-host.ts";
import type { Reference } from "../reference/parity.ts";
import { TOP, textOf } from "./case.ts";
import type { FuzzCase, Step } from "./case.ts";

export interface Outcome {
  /** Exit statuses of the steps. */
  readonly statuses: readonly number[];
  readonly stdout: string;
  readonly stderr: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Both sides of one run; C has none when it crashed or did not end, and then ours is not asked. */
export interface RunPair {
  readonly ours: Outcome | undefined;
  readonly theirs: Outcome | undefined;
}

export class Runner {
  readonly #reference: Reference;
  readonly #server: string;
  readonly #root: string;

  constructor(reference: Reference) {
    this.#reference = reference;
    this.#server = forkServer();
    this.#root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "kconfig-fuzz-"));
  }

  /** All runs of some cases; each case's in order. */
  run(cases: readonly FuzzCase[]): readonly (readonly RunPair[])[] {
    const theirs = this.#theirs(cases);
    return cases.map((one, index) =>
      one.runs.map((steps, number) => {
        const other = theirs[index]?.[number];
        return { theirs: other, ours: other === undefined ? undefined : this.#ours(one, steps) };
      }),
    );
  }

  /**
   * Whether ours and C differ in a case where C can be trusted: what it prints is the same whatever lies in memory that it
   * has not yet written, and it reads none that it has freed. variable_add() does, where a variable is assigned from itself,
   * and so does the help of a symbol whose range names another that was just answered: sym_set_string_value() has freed
   * that one's old text, and its value is still to be worked out.
   */
  differs(one: FuzzCase): boolean {
    const [pairs = []] = this.run([one]);
    return pairs.some((pair) => differencesOf(pair).length > 0) && this.#isSound(one);
  }

  #isSound(one: FuzzCase): boolean {
    const [first, second] = ["90", "165"].map((byte) => JSON.stringify(this.#theirs([one], byte)));
    return first === second && one.runs.every((steps) => this.#readsNothingFreed(one, steps));
  }

  #readsNothingFreed(one: FuzzCase, steps: readonly Step[]): boolean {
    const { program } = buildConf(this.#reference.tree, true);
    const place = join(this.#root, "watched");
    prepare(place, one);
    const said = steps.map((step) => {
      const env = { ...environmentOf(step, place), ASAN_OPTIONS: "detect_leaks=0" };
      const input = Buffer.from(textOf(step.input), "latin1");
      const { stderr } = spawnSync(program, [...step.args, TOP], { cwd: place, env, input, timeout: 10_000 });
      return stderr.toString("latin1");
    });
    rmSync(place, { recursive: true, force: true });
    return !said.join("").includes("AddressSanitizer");
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #ours(one: FuzzCase, steps: readonly Step[]): Outcome {
    const { dialect, conf } = this.#reference;
    let files: Record<string, string> = {};
    for (const [name, lines] of Object.entries(one.files)) files[name] = textOf(lines);
    const statuses: number[] = [];
    let stdout = "";
    let stderr = "";
    for (const step of steps) {
      const env = environmentOf(step, "/run-in-memory");
      const host = memoryHost({ env, files, input: textOf(step.input), shell: echo });
      statuses.push(runConf({ args: [...step.args, TOP], dialect, program: conf.program }, host));
      stdout += host.stdout();
      stderr += host.stderr();
      files = Object.fromEntries(host.files);
    }
    return { statuses, stdout, stderr, files };
  }

  // In batches: see fork-server.c. `perturb` is what malloc(3) fills memory with.
  #theirs(cases: readonly FuzzCase[], perturb?: string): readonly (readonly (Outcome | undefined)[])[] {
    const { program } = this.#reference.conf;
    const requests: string[] = [];
    let count = 0;
    for (const one of cases) {
      for (const steps of one.runs) {
        const place = join(this.#root, String(count++));
        prepare(`${place}/w`, one);
        for (const [number, step] of steps.entries()) {
          writeFileSync(`${place}/in${number}`, textOf(step.input), "latin1");
          const variables = Object.entries(environmentOf(step, `${place}/w`)).map((pair) => pair.join("="));
          const args = [...step.args, TOP];
          requests.push(`${place}/w`, `../in${number}`, "../out", "../err");
          requests.push(String(variables.length), ...variables, String(args.length), ...args);
        }
      }
    }
    const { stdout } = spawnSync(program, [], {
      env: {
        LD_PRELOAD: this.#server,
        LD_BIND_NOW: "1",
        ...(perturb === undefined ? {} : { MALLOC_PERTURB_: perturb }),
      },
      input: Buffer.from(requests.map((text) => `${text}\0`).join(""), "latin1"),
      encoding: "latin1",
      stdio: ["pipe", "pipe", "inherit"],
    });
    const statuses = stdout.trim().split("\n").map(Number);
    let next = 0;
    count = 0;
    return cases.map((one) =>
      one.runs.map((steps) => {
        next += steps.length;
        return collect(join(this.#root, String(count++)), statuses.slice(next - steps.length, next));
      }),
    );
  }
}

function forkServer(): string {
  const source = join(import.meta.dirname, "fork-server.c");
  const directory = keptDirectory("fork-server", [readFileSync(source, "utf8")], (cwd) => {
    const flags = ["-O2", "-Wall", "-shared", "-fPIC", "-o", "fork-server.so"];
    execFileSync("gcc", [...flags, source, "-ldl"], { cwd, stdio: ["ignore", "inherit", "inherit"] });
  });
  return join(directory, "fork-server.so");
}

// Without a list of defaults conf reads /boot/config of this machine.
function environmentOf(step: Step, srctree: string): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", srctree, KCONFIG_DEFCONFIG_LIST: "", ...step.env };
}

function prepare(directory: string, one: FuzzCase): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, lines] of Object.entries(one.files)) {
    const path = `${directory}/${name}`;
    if (name.includes("/")) mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, textOf(lines), "latin1");
  }
}

function collect(place: string, statuses: readonly number[]): Outcome | undefined {
  const read = (name: string): string => readFileSync(`${place}/${name}`, "latin1");
  const stderr = read("err");
  // C says "Oops!" where it took something for an expression that is none, and goes on with whatever lay there.
  const sound = statuses.every((status) => status < 128) && !stderr.includes("Oops! How to check");
  const outcome = sound
    ? { statuses, stdout: read("out"), stderr, files: filesBelow(`${place}/w`) }
    : undefined;
  rmSync(place, { recursive: true, force: true });
  return outcome;
}

function filesBelow(
  directory: string,
  prefix = "",
  files: Record<string, string> = {},
): Record<string, string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) filesBelow(path, `${prefix}${entry.name}/`, files);
    else files[prefix + entry.name] = readFileSync(path, "latin1");
  }
  return files;
}

// Generated trees ask the shell for little else.
function echo(command: string): string {
  const words = /^echo +([\w ]*)$/.exec(command)?.[1];
  if (words !== undefined) return `${words.trim().replaceAll(/ +/g, " ")}\n`;
  const { stdout } = spawnSync("/bin/sh", ["-c", command], {
    encoding: "latin1",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return stdout ?? "";
}

/** What differs, in a word each; empty when nothing does or C has no verdict. */
export function differencesOf({ ours, theirs }: RunPair): string[] {
  if (ours === undefined || theirs === undefined) return [];
  const found: string[] = [];
  if (ours.statuses.join() !== theirs.statuses.join()) found.push("exit status");
  if (ours.stdout !== theirs.stdout) found.push("stdout");
  if (ours.stderr !== theirs.stderr) found.push("stderr");
  for (const name of new Set([...Object.keys(ours.files), ...Object.keys(theirs.files)])) {
    if (ours.files[name] !== theirs.files[name]) found.push(name);
  }
  return found;
}
