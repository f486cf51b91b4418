import { open } from "node:fs/promises";

/** Make a rename durable, which a loss of power could undo otherwise. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
