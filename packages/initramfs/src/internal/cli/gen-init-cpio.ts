import { genInitCpio } from "../../gen-init-cpio.ts";
import { type CommandIo, exactly, parse, UsageError } from "./command-line.ts";

/** `initramfs gen-init-cpio`, option for option as the kernel's usr/gen_init_cpio. */
export async function genInitCpioCommand(args: readonly string[], _io: CommandIo): Promise<number> {
  const { values, positionals } = parse(args, {
    timestamp: { type: "string", short: "t" },
    checksum: { type: "boolean", short: "c" },
    output: { type: "string", short: "o" },
    align: { type: "string", short: "a" },
  });
  const [list] = exactly(positionals, ["LIST"]) as [string];
  await genInitCpio({
    list: list === "-" ? 0 : list,
    // Straight to the file descriptor: a stream would keep in memory what its reader does not take.
    output: values.output ?? 1,
    timestamp: number("--timestamp", values.timestamp),
    format: values.checksum === true ? "crc" : "newc",
    dataAlign: number("--align", values.align),
  });
  return 0;
}

function number(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} is "${text}", wanted a number`);
}
