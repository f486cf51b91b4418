import type { ResolvedSpec } from "./resolved.ts";

/** This machine's architecture; x86_64 where it is none that appliances are built for. */
export function hostArch(): ResolvedSpec["arch"] {
  const names: Readonly<Record<string, ResolvedSpec["arch"]>> = {
    x64: "x86_64",
    arm64: "arm64",
    riscv64: "riscv64",
  };
  return names[process.arch] ?? "x86_64";
}
