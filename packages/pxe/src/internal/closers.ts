/** Something that holds sockets or processes. */
export interface Closable {
  close(): Promise<void>;
}

/** What was opened so far, to be closed in reverse order (Node 22 has no AsyncDisposableStack). */
export interface Closers extends Closable {
  use<T extends Closable>(part: T): T;
}

/** Make an empty list. */
export function closers(): Closers {
  const parts: Closable[] = [];
  return {
    use(part) {
      parts.push(part);
      return part;
    },
    async close() {
      const failures: unknown[] = [];
      // One that cannot be closed keeps none of the others open.
      for (let part = parts.pop(); part; part = parts.pop())
        await part.close().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    },
  };
}
