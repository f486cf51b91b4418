import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { basename, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Closable } from "./closers.ts";

/** How often one looks whether others that want it too have given way. */
const ATTEMPTS = 20;
/** How long a claim's owner may take to say that it has won. */
const ANSWER_MS = 200;
/** A socket's address has 107 characters at most; a claim's is longer than the lock's. */
const LONGEST = 80;

/** Where claims to a lock are: a directory under a name that fits into a socket's address. */
interface Place {
  readonly directory: string;
  readonly name: string;
}

interface Claim extends Closable {
  /** From now on others need not hope. */
  win(): void;
}

/** What is behind a claim: nobody, somebody who hopes, or the owner of the lock. */
type Rival = "dead" | "hopes" | "owns";

/**
 * Take a lock that ends with this process, however it ends; undefined when another process has it. Node has no
 * flock, and a process id in a file says nothing across namespaces: so a claim is a socket that answers as long as
 * its owner lives. Each has a name of its own, which is never used again, so that what a killed owner left can be
 * removed by anybody. Who sees another claim gives way: of two, the one that came later looks after both were there.
 */
export async function takeLock(path: string): Promise<Closable | undefined> {
  const long = Buffer.byteLength(path) > LONGEST;
  // By way of the open directory only the name has to fit. The descriptor is as old as the socket, which lives on when
  // nobody holds the lock any more.
  const descriptor = long ? openSync(dirname(path), "r") : undefined;
  const place = {
    directory: descriptor === undefined ? dirname(path) : `/proc/self/fd/${descriptor}`,
    name: basename(path),
  };
  const leave = (): void => {
    if (descriptor !== undefined) closeSync(descriptor);
  };
  let claim: Closable | undefined;
  try {
    claim = await winClaim(place);
  } finally {
    if (!claim) leave();
  }
  if (!claim) return undefined;
  const won = claim;
  let closing: Promise<void> | undefined;
  return { close: () => (closing ??= won.close().finally(leave)) };
}

async function winClaim(place: Place): Promise<Closable | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const id = randomBytes(6).toString("hex");
    const claim = await stakeClaim(place, id);
    let rival: Rival = "hopes";
    try {
      if (claim) rival = await strongestRival(place, id);
      if (claim && rival === "dead") {
        claim.win();
        return claim;
      }
    } catch (error) {
      await claim?.close();
      throw error;
    }
    await claim?.close();
    if (rival === "owns") return undefined;
    // Two that have given way to each other must not meet again.
    await delay(Math.random() * 5 * (attempt + 1));
  }
  return undefined;
}

/** A claim that answers from the moment at which it can be seen. */
async function stakeClaim({ directory, name }: Place, id: string): Promise<Claim | undefined> {
  const [hidden, seen] = [`${directory}/.${name}.${id}`, `${directory}/${name}.${id}`];
  let won = false;
  const server = createServer((caller) => {
    caller.on("error", () => undefined);
    caller.end(won ? "owns" : "", () => caller.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(hidden, resolve);
  });
  server.unref();
  const close = async (): Promise<void> => {
    await rm(seen, { force: true });
    await closed(server);
  };
  try {
    await rename(hidden, seen);
    return { close, win: () => void (won = true) };
  } catch (error) {
    await close();
    // Taken for what a dead one left, before it listened.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** The best of all other claims; those of the dead are removed. */
async function strongestRival({ directory, name }: Place, own: string): Promise<Rival> {
  let strongest: Rival = "dead";
  for (const found of await readdir(directory)) {
    const hidden = found.startsWith(`.${name}.`);
    if (!hidden && !found.startsWith(`${name}.`)) continue;
    const id = found.slice(name.length + (hidden ? 2 : 1));
    if (!/^[0-9a-f]{12}$/.test(id) || id === own) continue;
    const rival = await ask(`${directory}/${found}`);
    if (rival === "owns") return rival;
    if (rival === "dead") await rm(`${directory}/${found}`, { force: true });
    // One that is hidden is to look for us yet.
    else if (!hidden) strongest = rival;
  }
  return strongest;
}

function ask(path: string): Promise<Rival> {
  return new Promise((resolve) => {
    let said = "";
    const call = connect(path);
    // One that is stopped takes calls, and says nothing.
    call.setTimeout(ANSWER_MS, () => call.destroy());
    call.on("data", (bytes: Buffer) => (said += bytes.toString("latin1")));
    // Any other error is of somebody who is there, and has no time.
    call.once("error", ({ code = "" }: NodeJS.ErrnoException) =>
      resolve(["ECONNREFUSED", "ENOENT"].includes(code) ? "dead" : "hopes"),
    );
    call.once("close", () => resolve(said === "owns" ? "owns" : "hopes"));
  });
}
