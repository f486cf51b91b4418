import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseCli } from "../src/cli-arguments.ts";
import { servePxe } from "../src/index.ts";
import { run } from "./tftp/clients.ts";

test("the server as a whole takes files where it is told to, and answers from one port", async () => {
  const directory = await mkdtemp(join(tmpdir(), "pxe-serve-tftp-"));
  const kernel = join(directory, "kernel");
  await writeFile(kernel, "k".repeat(3000));
  const options = {
    bundle: { kernel, initrd: [], cmdline: "quiet" },
    interface: "lo",
    mode: "proxy",
    ports: { dhcp: 21_067, client: 21_068, boot: 21_011, tftp: 0, http: 0 },
  } as const;
  const put = (port: number | undefined) =>
    run(["curl", "-sS", "-T", kernel, `tftp://127.0.0.1:${port}/result`]);
  await using closed = await servePxe(options);
  expect(await put(closed.ports.tftp)).toMatchObject({ status: 69 });
  await closed.close();
  await using open = await servePxe({ ...options, tftp: { singlePort: true, uploads: { root: directory } } });
  expect(await put(open.ports.tftp)).toMatchObject({ status: 0 });
  expect(await readFile(join(directory, "result"), "utf8")).toBe("k".repeat(3000));
  const got = await run([
    "curl",
    "-sS",
    "--local-port",
    "21099",
    `tftp://127.0.0.1:${open.ports.tftp}/kernel`,
  ]);
  expect(got).toEqual({ status: 0, output: "k".repeat(3000) });
  await rm(directory, { recursive: true });
});

test("the command says so too", () => {
  const common = ["--interface", "lo", "--kernel", "x"];
  expect(parseCli([...common, "--tftp-single-port", "--tftp-uploads", "results"])).toMatchObject({
    options: { tftp: { singlePort: true, uploads: { root: "results" } } },
  });
  expect(parseCli(common)).toMatchObject({ options: { tftp: { uploads: undefined } } });
});
