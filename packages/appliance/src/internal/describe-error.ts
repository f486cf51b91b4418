import { inspect } from "node:util";

/** `error: …` and `hint: …` for people; the stack and the causes only for who debugs. */
export function describeError(error: unknown, options: { readonly debug: boolean }): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  const lines = [`error: ${systemMessage(error) ?? error.message}`];
  const hint = (error as { readonly hint?: unknown }).hint ?? systemHint(error);
  if (typeof hint === "string" && hint !== "") lines.push(`hint: ${hint}`);
  if (options.debug) lines.push(inspect(error));
  return lines.join("\n");
}

/** Node's own errors name the system call; people want the file and the reason. */
function systemMessage(error: Error): string | undefined {
  const {
    code,
    path: source,
    dest,
  } = error as NodeJS.ErrnoException & { readonly dest?: string | undefined };
  const path = dest ?? source;
  const at = path === undefined ? "" : ` "${path}"`;
  if (code === "ENOSPC") return `No space left on the device while writing${at}`;
  if (code === "EDQUOT") return `Disk quota exceeded while writing${at}`;
  if (code === "EROFS") return `Cannot write${at}: the file system is read-only`;
  if (code === "EACCES" && path !== undefined) return `Cannot access${at}: permission denied`;
  return undefined;
}

function systemHint(error: Error): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT"
    ? "free some space, or choose another place with --cache-dir"
    : undefined;
}
