import { main } from "../../src/command.ts";

/** Runs the command line in this process. */
export async function kbuild(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const io = {
    stdout: (text: string) => void (out += text),
    stderr: (text: string) => void (err += text),
    terminal: false,
  };
  const status = await main(args, io);
  return { status, out, err };
}
