/** What a script's first line asks for. */
export interface Shebang {
  readonly interpreter: string;
  /** The program that `env` is to look up. */
  readonly envProgram?: string | undefined;
  /** The line ends in a carriage return, which the kernel takes as a part of the name. */
  readonly carriageReturn: boolean;
}

/** The kernel looks no further, BINPRM_BUF_SIZE of include/uapi/linux/binfmts.h. */
export const SHEBANG_BYTES = 256;

/** Reads the first line as load_script() of fs/binfmt_script.c does; `undefined` for what is no script. */
export function parseShebang(head: Uint8Array): Shebang | undefined {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  const text = new TextDecoder().decode(head.subarray(2, SHEBANG_BYTES));
  const rawLine = text.split(/[\n\0]/, 1)[0] as string;
  const carriageReturn = rawLine.endsWith("\r");
  const line = rawLine.replace(/\r$/, "").trim();
  const match = /^(\S+)(?:[ \t]+(.*))?$/.exec(line);
  if (match === null) return undefined;
  const interpreter = match[1] as string;
  const argument = match[2];
  const isEnv = /(^|\/)env$/.test(interpreter);
  return {
    interpreter,
    envProgram: isEnv && argument !== undefined ? envProgram(argument) : undefined,
    carriageReturn,
  };
}

/** The program in `env`'s argument: behind options (`-S`, `-i`) and assignments. */
function envProgram(argument: string): string | undefined {
  return argument
    .replace(/^(?:-S|--split-string=?)\s*/, "")
    .split(/\s+/)
    .find((word) => word !== "" && !word.startsWith("-") && !word.includes("="));
}
