import type { QmpClient } from "../qmp.ts";

/** Does something while the guest stands still; it goes on afterwards only if it ran before and nothing else held it. */
export async function frozen<T>(qmp: QmpClient, work: () => Promise<T>): Promise<T> {
  const [before, , held] = await Promise.all([
    qmp.execute("query-status"),
    qmp.execute("stop"),
    qmp.execute("query-status"),
  ]);
  try {
    return await work();
  } finally {
    // A guest that ended in that very moment has another status than "paused", and must stay as it is.
    if (before.running && held.status === "paused") await qmp.execute("cont");
  }
}
