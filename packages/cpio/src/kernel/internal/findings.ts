import { hintFor } from "./explain.ts";
import type {
  KernelDiagnostic,
  KernelDiagnosticCode,
  KernelFailure,
  KernelLocation,
} from "../kernel-result.ts";

/** What one run of the unpacker has found, and whether it goes on. */
export class Findings {
  readonly diagnostics: KernelDiagnostic[] = [];
  omitted = 0;
  /** The kernel's first message, which is the one it prints. */
  failure: KernelFailure | undefined;
  /** Set when the prediction ends before the kernel does. */
  incomplete = false;
  /** While the built-in archive is unpacked. */
  builtIn = true;
  segment = 0;
  member: number | undefined;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Nothing more is unpacked. */
  get ended(): boolean {
    return this.failure !== undefined || this.incomplete;
  }

  at(offset: number, name?: string): KernelLocation {
    return {
      offset,
      ...(this.member === undefined ? {} : { member: this.member }),
      segment: this.segment,
      ...(name === undefined ? {} : { name }),
    };
  }

  add(
    code: KernelDiagnosticCode,
    severity: KernelDiagnostic["severity"],
    message: string,
    location: KernelLocation,
  ): void {
    // Nobody can change what is built in; only its failure is told.
    if (this.builtIn && severity !== "error") return;
    if (this.diagnostics.length < this.#limit) this.diagnostics.push({ code, severity, message, location });
    else this.omitted++;
  }

  /** The kernel keeps its first message; further ones are lost, as there. */
  abort(message: string, location: KernelLocation): void {
    if (this.ended) return;
    this.failure = { message, location, builtIn: this.builtIn };
    const what = this.builtIn ? "panics over its built-in archive" : "gives up";
    const hint = hintFor(message);
    const why = hint === undefined ? "" : ` (${hint})`;
    this.add("KERNEL_ABORT", "error", `The kernel ${what}: ${message}${why}`, location);
  }

  /** What the kernel does from here on can't be told. */
  stop(code: KernelDiagnosticCode, message: string, location: KernelLocation): void {
    if (this.ended) return;
    this.incomplete = true;
    this.add(code, "error", message, location);
  }
}
