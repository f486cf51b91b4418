import { expect, test } from "vitest";
import { closers } from "../src/internal/closers.ts";

test("the last is closed first, and one that fails keeps no other open", async () => {
  const closed: string[] = [];
  const parts = closers();
  for (const name of ["a", "b", "c"]) {
    parts.use({
      close() {
        closed.push(name);
        return name === "b" ? Promise.reject(new Error(name)) : Promise.resolve();
      },
    });
  }
  await expect(parts.close()).rejects.toThrow("b");
  expect(closed).toEqual(["c", "b", "a"]);
  await parts.close();
});
