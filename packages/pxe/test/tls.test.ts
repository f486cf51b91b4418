import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { identifyClient, planBoot, servePxe, type BootSite } from "../src/index.ts";
import { ipxe, request } from "./packets.ts";

const run = promisify(execFile);
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-tls-"));
  await writeFile(join(directory, "kernel"), "k".repeat(1_000_000));
  const request =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test".split(" ");
  const subject = ["-addext", "subjectAltName=IP:127.0.0.1"];
  await run("openssl", [
    ...request,
    ...subject,
    "-keyout",
    join(directory, "key"),
    "-out",
    join(directory, "cert"),
  ]);
});
afterAll(() => rm(directory, { recursive: true }));

test("with a certificate all is HTTPS: files, script, API; and HTTP is no way around", async () => {
  await using server = await servePxe({
    bundle: { kernel: join(directory, "kernel"), initrd: [], cmdline: "" },
    interface: "lo",
    mode: "http-only",
    ports: { http: 0 },
    tls: { cert: join(directory, "cert"), key: join(directory, "key") },
  });
  const curl = async (path: string, scheme = "https"): Promise<string> =>
    (
      await run("curl", [
        ..."-sSf --cacert".split(" "),
        join(directory, "cert"),
        `${scheme}://127.0.0.1:${server.ports.http}${path}`,
      ])
    ).stdout;
  expect(server.urls.kernel).toBe(`https://127.0.0.1:${server.ports.http}/kernel`);
  expect(await curl("/boot.ipxe")).toContain(`kernel ${server.urls.kernel} || goto failed`);
  expect(await curl("/kernel")).toBe("k".repeat(1_000_000));
  expect(JSON.parse(await curl("/v1/server"))).toMatchObject({ mode: "http-only" });
  await expect(curl("/kernel", "http")).rejects.toThrow();
});

test("an iPXE without HTTPS (feature 20) is sent to TFTP, one with it is not", () => {
  const site: BootSite = { address: "10.0.0.1", httpPort: 8443, tftpPort: 69, binaries: {}, secure: true };
  const plan = (features: number[]) =>
    planBoot(identifyClient(request("discover", { options: ipxe(features) })), site);
  expect(plan([19, 24, 33])).toMatchObject({ stage: "script", url: "tftp://10.0.0.1/boot.ipxe" });
  expect(plan([19, 20, 24, 33])).toMatchObject({ stage: "script", url: "https://10.0.0.1:8443/boot.ipxe" });
});
