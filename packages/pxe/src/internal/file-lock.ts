import { closeSync, openSync } from "node:fs";
import { rename, unlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { basename, dirname } from "node:path";
import type { Closable } from "./closers.ts";

/** Bind a socket to a path; undefined when the path exists. */
function claim(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((caller) => caller.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => resolve(server.unref()));
  });
}

/** True when a process answers at the path. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = connect(path);
    call.once("connect", () => {
      call.destroy();
      resolve(true);
    });
    call.once("error", () => resolve(false));
  });
}

/** A socket's address has 107 characters at most; a dead owner's is looked at under a longer name. */
const LONGEST = 90;

/**
 * Take a lock that ends with this process, however it ends; undefined when another process has it. Node has no
 * flock, and a process id in a file says nothing across namespaces: so the lock is a socket that answers as long
 * as its owner lives. What a killed owner left is moved away first, so that of two who find it one goes on.
 */
export async function takeLock(path: string): Promise<Closable | undefined> {
  const long = Buffer.byteLength(path) > LONGEST;
  // By way of the open directory only the name has to fit. The descriptor is as old as the socket, which lives on when
  // nobody holds the lock any more.
  const directory = long ? openSync(dirname(path), "r") : undefined;
  const leave = (): void => {
    if (directory !== undefined) closeSync(directory);
  };
  let server: Server | undefined;
  try {
    server = await claimFreed(long ? `/proc/self/fd/${directory}/${basename(path)}` : path);
  } finally {
    if (!server) leave();
  }
  if (!server) return undefined;
  const owner = server;
  let closing: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    // Closing removes the path too.
    await new Promise<void>((resolve) => owner.close(() => resolve()));
    leave();
  };
  return { close: () => (closing ??= release()) };
}

/** Claim a path, also from a dead owner. */
async function claimFreed(path: string): Promise<Server | undefined> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const server = await claim(path);
    if (server) return server;
    if (await answers(path)) return undefined;
    const aside = `${path}.${process.pid}`;
    try {
      await rename(path, aside);
    } catch {
      continue; // somebody else has moved it away
    }
    if (await answers(aside)) {
      // Its new owner came in between: the path is its own again.
      await rename(aside, path);
      return undefined;
    }
    await unlink(aside);
  }
  return undefined;
}
