/** Policy, queues, calls and the API of a whole server, by real HTTP. */
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackAsKernel, readKernelFile } from "@justenough/cpio";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { servePxe, type PxeEvent, type PxeServer, type ServePxeOptions } from "../src/index.ts";
import { watchPolicy } from "../src/policy/policy-holder.ts";

const MAC = "52:54:00:12:34:56";
const OTHER = "52:54:00:00:00:02";
let directory = "";
let server: PxeServer;
let base = "";
const events: PxeEvent[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-api-"));
  for (const name of ["one", "two"]) {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, "kernel"), `kernel ${name}`);
    await writeFile(join(directory, name, "initramfs"), `initramfs ${name}`);
    await writeFile(join(directory, name, "cmdline"), `bundle=${name}\n`);
  }
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(() => server.close());

const POLICY = `machines:
  - { mac: ${MAC}, name: left, tags: bench, cmdline: hostname=left, params: { role: client } }
rules:
  - { tag: bench, boot: one }
  - { serial: 'ACME-*', boot: two }
  - { mac: '02:*', boot: none }
  - { boot: disk }
`;

async function serve(change: Partial<ServePxeOptions> = {}, policy = POLICY): Promise<void> {
  const file = join(directory, "policy.yaml");
  await writeFile(file, policy);
  events.length = 0;
  server = await servePxe({
    policy: file,
    interface: "lo",
    mode: "http-only",
    ports: { http: 0 },
    onEvent: (event) => events.push(event),
    ...change,
  });
  base = `http://127.0.0.1:${server.ports.http}`;
}

const text = async (path: string): Promise<string> => (await fetch(base + path)).text();
const script = (mac: string, more = ""): Promise<string> => text(`/boot.ipxe?mac=${mac}${more}`);
const queue = (mac: string, method: string, body?: unknown): Promise<Response> =>
  fetch(`${base}/v1/machines/${mac}/queue`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const post = async (path: string, body = ""): Promise<number> =>
  (await fetch(base + path, { method: "POST", body })).status;
const argument = (script: string, name: string): string =>
  new RegExp(` ${name}=(\\S+)`).exec(script)?.[1] ?? "";
const fileOf = (script: string, name: string): string =>
  new RegExp(`${base}(/b/\\S+${name})`).exec(script)?.[1] ?? "";

describe("the policy decides", () => {
  test("whoever does not say who it is is asked once, and the rules see what it says", async () => {
    await serve();
    expect(await text("/boot.ipxe")).toContain(
      `chain --autofree ${base}/boot.ipxe?mac=\${netX/mac}&uuid=\${uuid}&serial=\${serial:uristring}`,
    );
    const one = await script(MAC, "&serial=");
    expect(one).toContain("bundle=one hostname=left || goto failed");
    expect(await text(fileOf(one, "kernel"))).toBe("kernel one");
    expect(await text(fileOf(one, "initrd/0"))).toBe("initramfs one");
    const two = await script(OTHER, "&serial=ACME-1");
    expect(two).toContain("bundle=two || goto failed");
    expect(await text(fileOf(two, "kernel"))).toBe("kernel two");
    expect(await script("52-54-00-00-00-03", "&serial=x")).toContain("sanboot");
    expect(await script("02:00:00:00:00:01", "&serial=x")).toContain("boots nothing");
    // Asking again would go on for ever.
  });
  test("who cannot say who it is gets what fits everybody: asking again would go on for ever", async () => {
    await serve();
    expect(await script("nonsense")).toContain("sanboot");
  });
  test("an address says what it likes, but is cut to size", async () => {
    await serve();
    await script(OTHER, `&serial=ACME%0a%00${"x".repeat(500)}`);
    const { serial } = (await (await fetch(`${base}/v1/machines/${OTHER}`)).json()) as { serial: string };
    expect(serial).toBe(`ACME${"x".repeat(60)}`);
  });
  test("parameters come as a segment that the kernel unpacks, and nobody else finds it", async () => {
    await serve();
    const path = /(\/initrd\/params-\S+)/.exec(await script(MAC))?.[1] ?? "";
    const bytes = new Uint8Array(await (await fetch(base + path)).arrayBuffer());
    expect(bytes.length % 4).toBe(0);
    const { tree } = unpackAsKernel(bytes, { kernel: "6.12" });
    expect(new TextDecoder().decode(readKernelFile(tree, "params/role"))).toBe("client");
    // The next script has its own; there is no list of them, and the old one is gone.
    expect(await script(MAC)).not.toContain(path);
    expect((await fetch(base + path)).status).toBe(404);
    expect(await script(OTHER, "&serial=ACME-1")).not.toContain("params");
  });
  test("a changed file counts at once, a broken one changes nothing and is told once", async () => {
    await serve();
    const file = join(directory, "policy.yaml");
    await writeFile(file, "rules: [{ boot: two }]\n");
    await vi.waitFor(async () => expect(await script(MAC)).toContain("bundle=two"), { timeout: 5000 });
    expect(events).toContainEqual(expect.objectContaining({ kind: "policy", rules: 1 }));
    await writeFile(file, "rules: [{ boot: twoo }]\n");
    const broken = () =>
      events.filter((event) => event.kind === "warning" && event.code === "policy-invalid");
    await vi.waitFor(() => expect(broken()).toHaveLength(1), { timeout: 5000 });
    expect(broken()[0]).toMatchObject({ message: expect.stringContaining("policy.yaml:1:17:") });
    expect(await script(MAC)).toContain("bundle=two");
  });
  test("a file that was mended as it had been, and is broken again in the same way, is told again", async () => {
    const emit = vi.fn();
    const file = join(directory, "mended.yaml");
    const good = "rules: [{ boot: two }]\n";
    await serve();
    await writeFile(file, good);
    const holder = await watchPolicy(file, emit);
    for (const text of ["rules: [{ boot: twoo }]\n", good, "rules: [{ boot: twoo }]\n"]) {
      await writeFile(file, text);
      await holder.look();
    }
    await holder.close();
    expect(emit.mock.calls).toMatchObject([[{ code: "policy-invalid" }], [{ code: "policy-invalid" }]]);
  });
  test("a policy that only its owner can read, by way of a link, stays so when it is replaced", async () => {
    await serve();
    const file = join(directory, "policy.yaml");
    const real = join(directory, "real.yaml");
    await rename(file, real);
    await chmod(real, 0o600);
    await symlink(real, file);
    const put = await fetch(`${base}/v1/policy`, { method: "PUT", body: "rules: [{ boot: two }]\n" });
    expect(put.status).toBe(204);
    expect(await readFile(real, "utf8")).toBe("rules: [{ boot: two }]\n");
    expect((await stat(real)).mode & 0o777).toBe(0o600);
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
    await rm(file);
  });
  test("the policy over the API: read, replaced, and refused with its place", async () => {
    await serve();
    const put = (body: string) => fetch(`${base}/v1/policy`, { method: "PUT", body });
    expect(await text("/v1/policy")).toBe(POLICY);
    const refused = await put("rules:\n  - bot: two\n");
    expect([refused.status, await refused.json()]).toMatchObject([
      422,
      { code: "PXE_POLICY_INVALID", message: expect.stringMatching(/sent:2:5: Unknown key "bot"/) },
    ]);
    expect(await text("/v1/policy")).toBe(POLICY);
    expect((await put("rules: [{ boot: two }]\n")).status).toBe(204);
    expect(await script(MAC)).toContain("bundle=two");
    expect(await readFile(join(directory, "policy.yaml"), "utf8")).toBe("rules: [{ boot: two }]\n");
  });
});

describe("boot once", () => {
  test("a queue is booted plan by plan; the machine's call uses a plan up, and its token is good once", async () => {
    await serve();
    const put = await queue(MAC, "PUT", [
      { boot: "two", run: "r1", cmdline: "round=1", params: { round: "1" } },
      { boot: "two", timeout: 60, fallback: "disk" },
    ]);
    expect(put.status).toBe(200);
    const first = await script(MAC);
    expect(first).toContain("bundle=two round=1 je.server=");
    expect(first).toContain(`je.server=${base} je.machine=52-54-00-12-34-56 je.run=r1 je.token=`);
    const token = argument(first, "je.token");
    // A second fetch is a retry: nothing is used up.
    expect(argument(await script(MAC), "je.token")).toBe(token);
    const booted = `/v1/machines/52-54-00-12-34-56/booted?token=`;
    expect(await post(`${booted}wrong`)).toBe(403);
    expect(await post(`/v1/machines/${OTHER}/booted?token=${token}`)).toBe(403);
    expect(await post(booted + token, "up")).toBe(204);
    expect(events).toContainEqual(
      expect.objectContaining({ kind: "booted", mac: MAC, run: "r1", body: "up" }),
    );
    expect(await post(booted + token)).toBe(403);
    const left = (await (await queue(MAC, "GET")).json()) as { plans: object[] };
    expect(left.plans).toMatchObject([{ boot: "two", timeout: 60, fallback: "disk" }]);
    expect(JSON.stringify(left)).not.toContain(token);
    expect(await post(`/v1/runs/r1/done?token=${token}`, '{"status":0}')).toBe(204);
    expect(await post(`/v1/runs/r1/done?token=${token}`)).toBe(403);
    expect(events).toContainEqual(
      expect.objectContaining({ kind: "result", run: "r1", body: '{"status":0}' }),
    );
    const second = await script(MAC);
    expect(argument(second, "je.token")).not.toBe(token);
    expect(await post(`${booted}${argument(second, "je.token")}`)).toBe(204);
    // Empty: the policy's turn again.
    expect(await script(MAC)).toContain("bundle=one hostname=left || goto failed");
  });
  test("a time-out is told, and the fallback comes", async () => {
    await serve();
    await queue(MAC, "PUT", [{ boot: "two", timeout: 0.05, fallback: "disk" }]);
    await script(MAC);
    await vi.waitFor(
      () =>
        expect(events).toContainEqual(
          expect.objectContaining({ kind: "warning", code: "boot-timeout", mac: MAC }),
        ),
      { timeout: 5000 },
    );
    expect(await script(MAC)).toContain("sanboot");
    expect(server.explain(MAC).sentences.join(" ")).toMatch(/held at its local disk/);
    expect((await queue(MAC, "DELETE")).status).toBe(200);
    expect(await script(MAC)).toContain("bundle=one");
  });
  test.each([
    [[{ boot: "none" }], /but must be a bundle's directory, files, or "disk"/],
    [[{ boot: "nosuch" }], /nosuch" holds no bundle/],
    [[{ boot: "one", run: "../x" }], /a name of letters/],
    [[{ boot: "one", timeout: "soon" }], /must be a number/],
    [[{ boot: "one", fallback: "dsk" }], /did you mean "disk"/],
    [{ boot: "one" }, /must be a list/],
  ])("%j is refused", async (body, message) => {
    await serve();
    const response = await queue(MAC, "PUT", body);
    expect([response.status, await response.json()]).toMatchObject([
      422,
      { message: expect.stringMatching(message) },
    ]);
  });
});

describe("who may change things", () => {
  const change = (headers: Record<string, string>) =>
    fetch(`${base}/v1/machines/${MAC}/queue`, { method: "PUT", body: "[]", headers });
  test("this machine may, and whoever shows the token; a wrong one is worse than none", async () => {
    const apiToken = join(directory, "token");
    await writeFile(apiToken, "s3cret\n");
    await serve({ apiToken });
    expect((await change({})).status).toBe(200);
    expect((await change({ authorization: "Bearer s3cret" })).status).toBe(200);
    expect((await change({ authorization: "Bearer guess" })).status).toBe(403);
  });
  test("a page of another site that has this machine's browser may not: its Host is another", async () => {
    await serve();
    const { execFile } = await import("node:child_process");
    const { promisify } = await import("node:util");
    const { stdout } = await promisify(execFile)("curl", [
      ..."-s -o /dev/null -w %{http_code} -X PUT -d [] -H".split(" "),
      "Host: evil.example",
      `${base}/v1/machines/${MAC}/queue`,
    ]);
    expect(stdout).toBe("403");
  });
});
