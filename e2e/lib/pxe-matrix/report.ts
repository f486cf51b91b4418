import type { PxeEvent } from "@justenough/pxe";
import type { Cell } from "./cells.ts";

/** What came of a cell. */
export interface CellReport {
  readonly name: string;
  /** Seconds: power-on to the first DHCP request, to the first byte of the kernel, loading, to /init. */
  readonly stages: readonly (number | undefined)[];
  /** Power-on to /init. */
  readonly total: number | undefined;
  /** What went over the wire. */
  readonly steps: readonly string[];
  /** What is not as it should be; none when the cell is green. */
  readonly problems: readonly string[];
  /** For a cell with problems: its console and the server's events. */
  readonly log?: string;
}

export const STAGES = ["to DHCP", "to kernel", "loading", "to /init"] as const;

/**
 * Kernel arguments without what loaders add: `initrd=` for each image, PXELINUX's and GRUB's BOOT_IMAGE, and the
 * image's name, which iPXE under UEFI puts first. GRUB moves a quote to the front of its word.
 */
function ownArguments(text: string): string {
  const added = /(?:^|(?<= ))(?:initrd|BOOT_IMAGE)=\S*(?: |$)/g;
  // Linux reads `"a=b c"` as `a="b c"`.
  const quotes = /"([\w.]+)=([^"]*)"/g;
  return text
    .replace(/^kernel /, "")
    .replaceAll(added, "")
    .replaceAll(quotes, '$1="$2"')
    .trim();
}

/** Judges a boot by its console and by what the server saw. */
export function readCell(run: {
  readonly cell: Cell;
  readonly guest: { readonly hash: string };
  readonly began: number;
  readonly init: number | undefined;
  readonly kind: string;
  readonly text: string;
  readonly events: readonly PxeEvent[];
  readonly cmdline: string;
}): CellReport {
  const { cell, guest, began, init, text, events } = run;
  const problems: string[] = [];
  const expect = (what: string, seen: string | undefined, wanted: string): void => {
    if (seen !== wanted) problems.push(`${what}: ${seen ?? "nothing"} in place of ${wanted}`);
  };
  const said = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
  expect("machine", run.kind, "poweroff");
  expect("bundle", said(/CELL bundle (\w+)/), guest.hash);
  expect("parameter", said(/CELL params (.*?)\r?\n/), cell.name);
  const cmdline = said(/CELL cmdline \[(.*)\]\r?\n/);
  expect("arguments", cmdline === undefined ? undefined : ownArguments(cmdline), run.cmdline);

  const fetched = events.flatMap((event) =>
    event.kind === "loader" || event.kind === "script" || event.kind === "kernel" || event.kind === "initrd"
      ? [event]
      : [],
  );
  const steps = fetched
    .map(({ kind, via }) => `${kind} by ${via}`)
    .filter((step, at, all) => step !== all[at - 1]);
  expect("steps", steps.join(", "), cell.steps.join(", "));

  const discover = events.find(({ kind }) => kind === "discover")?.at;
  const files = fetched.filter(({ kind }) => kind === "kernel" || kind === "initrd");
  const [first] = files;
  const asked = first && first.at - first.milliseconds;
  const moments = [began, discover, asked, files.at(-1)?.at, init];
  const stages = moments.slice(1).map((moment, index) => {
    const before = moments[index];
    return moment === undefined || before === undefined ? undefined : (moment - before) / 1000;
  });
  const total = init === undefined ? undefined : (init - began) / 1000;
  const report = { name: cell.name, stages, total, steps, problems };
  if (problems.length === 0) return report;
  return { ...report, log: [text, ...events.map((event) => JSON.stringify(event))].join("\n") };
}

const seconds = (value: number | undefined): string => (value === undefined ? "-" : value.toFixed(1));

/** A line of the table; widths are those of its head. */
export function cellLine({ name, stages, total, problems }: CellReport): string {
  const figures = [...stages, total].map((value, index) =>
    seconds(value).padStart(([...STAGES, "total"][index] ?? "").length),
  );
  return `${problems.length === 0 ? "ok   " : "WRONG"}  ${name.padEnd(50)}  ${figures.join("  ")}`;
}

export const TABLE_HEAD = `       ${"seconds".padEnd(50)}  ${[...STAGES, "total"].join("  ")}`;
