import type { Share } from "../shares.ts";
import { optionValue } from "./option-value.ts";

/** A file that holds a guest's memory. */
export interface MemoryFile {
  readonly path: string;
  /** What the guest writes stays out of the file. */
  readonly copy: boolean;
}

/** The guest's memory: QEMU's own, or where a daemon of virtiofs has to see it, or in a file. */
export function memoryArguments(memoryMiB: number, shares: readonly Share[], file?: MemoryFile): string[] {
  const size = `${memoryMiB}M`;
  const backend =
    file !== undefined
      ? `memory-backend-file,id=memory,size=${size},mem-path=${optionValue(file.path)},share=${file.copy ? "off" : "on"}`
      : shares.some(({ kind }) => kind === "virtiofs")
        ? `memory-backend-memfd,id=memory,size=${size},share=on`
        : undefined;
  return [
    "-m",
    size,
    ...(backend === undefined ? [] : ["-object", backend, "-machine", "memory-backend=memory"]),
  ];
}
