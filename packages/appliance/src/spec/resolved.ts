/** The spec after defaults and implications: plain data, all that a build and a run depend on. */
export interface ResolvedSpec {
  readonly name: string;
  readonly arch: "x86_64" | "arm64" | "riscv64";
  readonly kernel: ResolvedKernel;
  readonly programs: readonly ResolvedProgram[];
  /** As initramfs names them, `tz=Europe/Berlin`. */
  readonly facets: readonly string[];
  readonly files: readonly ResolvedFile[];
  readonly directories: readonly string[];
  readonly links: readonly { readonly target: string; readonly to: string }[];
  readonly nodes: readonly ResolvedNode[];
  /** Absolute path of the user's own /init; null: the generated one. */
  readonly init: string | null;
  readonly run: ResolvedRun;
  readonly network: ResolvedNetwork;
  readonly forward: readonly ResolvedForward[];
  /** In MiB. */
  readonly memory: number;
  readonly cpus: number;
  readonly compression: "none" | "gzip" | "zstd";
  /** A command of this machine that tells whether the running appliance does its job. */
  readonly test: string | null;
  /** Idle window of the report in milliseconds; 0: no report. */
  readonly report: number;
}

export interface ResolvedKernel {
  readonly source: ResolvedKernelSource;
  readonly compiler: "gcc" | "clang";
  readonly features: readonly string[];
  /** As the kernel package names them, `kpti=off`. */
  readonly presets: readonly string[];
  /** Symbols without CONFIG_, values as in a .config but strings unquoted. */
  readonly config: Readonly<Record<string, string>>;
  /** Absolute path of a file that the configuration starts from; null: from nothing. */
  readonly defconfig: string | null;
  /** Absolute path of a file with the modaliases of the machine whose drivers are built in; null: none are. */
  readonly devices: string | null;
  readonly modules: readonly string[];
  readonly cmdline: string;
}

export type ResolvedKernelSource =
  | { readonly kind: "auto" | "debian" | "kernel.org"; readonly version: string }
  | { readonly kind: "distro" }
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "tarball"; readonly path: string; readonly sha256?: string | undefined };

export type ResolvedProgram =
  | { readonly kind: "copy"; readonly source: string; readonly target?: string | undefined }
  | {
      readonly kind: "compile";
      readonly source: string;
      readonly target: string;
      readonly flags: readonly string[];
    };

export interface ResolvedFile {
  readonly target: string;
  readonly source?: string | undefined;
  readonly content?: string | undefined;
  readonly mode?: number | undefined;
}

export interface ResolvedNode {
  readonly target: string;
  readonly type: "character" | "block";
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
}

export interface ResolvedRun {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export type ResolvedNetwork =
  | { readonly kind: "none" }
  | { readonly kind: "dhcp" }
  | {
      readonly kind: "static";
      readonly address: string;
      readonly gateway?: string | undefined;
      readonly dns?: string | undefined;
    };

export interface ResolvedForward {
  readonly host: number;
  readonly guest: number;
  /** Whether another host port will do when `host` is taken. */
  readonly flexible: boolean;
}

/** Where a value of the resolved spec comes from. */
export type Origin =
  | { readonly kind: "spec"; readonly file: string; readonly line?: number | undefined; readonly key: string }
  | { readonly kind: "default"; readonly why?: string | undefined }
  | { readonly kind: "implied"; readonly by: string }
  | { readonly kind: "command-line"; readonly flag: string };

/** One value with its origin, for `appliance check --resolved`. */
export interface ResolvedValue {
  readonly key: string;
  readonly value: unknown;
  readonly origin: Origin;
}

export interface Resolution {
  readonly spec: ResolvedSpec;
  readonly values: readonly ResolvedValue[];
}
