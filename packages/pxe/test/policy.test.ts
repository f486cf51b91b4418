import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ARCH_NAMES,
  choosePlan,
  identifyClient,
  factsOf,
  matchesGlob,
  parsePolicy,
  uuidForms,
  type MachineFacts,
  type Policy,
} from "../src/index.ts";
import { firmware, ipxe, request } from "./packets.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-policy-"));
  await mkdir(join(directory, "builds/hello"), { recursive: true });
  await writeFile(join(directory, "builds/hello/kernel"), "k");
  await writeFile(join(directory, "builds/hello/initramfs"), "i");
  await writeFile(join(directory, "builds/hello/cmdline"), "console=ttyS0 quiet\n");
  await writeFile(join(directory, "left.json"), "{}");
});
afterAll(() => rm(directory, { recursive: true }));

const parse = (text: string): Promise<Policy> => parsePolicy(text, { directory });
const MAC = "52:54:00:12:34:56";
const decide = (policy: Policy, facts: Partial<MachineFacts>, final = true) =>
  choosePlan(policy, { mac: MAC, ...facts }, { final });

describe("the file", () => {
  test("rules, machines, bundles, additions", async () => {
    const policy = await parse(`
machines:
  - mac: 52-54-00-12-34-56
    name: left
    tags: [bench, fast]
    cmdline: hostname=left
    params: { role: client, site: { file: left.json } }
rules:
  - tag: be*
    firmware: bios
    boot: builds/hello
    cmdline: loglevel=3
    params: { role: any, round: 0042 }
  - mac: ["52:54:00:*", aa-bb-*]
    boot: { kernel: builds/hello/kernel, initrd: builds/hello/initramfs, cmdline: one }
  - boot: disk
`);
    const bundle = {
      kernel: join(directory, "builds/hello/kernel"),
      initrd: [join(directory, "builds/hello/initramfs")],
      cmdline: "console=ttyS0 quiet",
      manifest: undefined,
      title: "hello",
    };
    expect(decide(policy, { firmware: "bios" })).toEqual({
      kind: "plan",
      rule: 0,
      plan: {
        target: { kind: "bundle", bundle },
        cmdline: "loglevel=3 hostname=left",
        // The machine's own wins; and 0042 stays what was typed.
        params: { role: "client", round: "0042", site: { file: join(directory, "left.json") } },
      },
    });
    expect(decide(policy, { firmware: "efi" })).toMatchObject({
      rule: 1,
      plan: { target: { bundle: { cmdline: "one" } }, cmdline: "hostname=left" },
    });
    expect(decide(policy, { mac: "aa:bb:00:00:00:01" })).toMatchObject({ rule: 1 });
    expect(decide(policy, { mac: "02:00:00:00:00:01" })).toMatchObject({
      rule: 2,
      plan: { target: { kind: "disk" }, params: {} },
    });
  });

  test.each<[string, string, RegExp]>([
    [
      "a misspelt key",
      "rules:\n  - boot: disk\n    tagg: x\n",
      /policy\.yaml:3:5: Unknown key "tagg"\n.*\n.*\^{4}\n {2}did you mean "tag"\?/,
    ],
    [
      "a misspelt value",
      "rules:\n  - boot: disk\n    arch: x86-64\n",
      /policy\.yaml:3:11: .*"x86-64".*\n.*\n.*\n {2}did you mean "x86_64"\?/,
    ],
    [
      "a misspelt key inside",
      "rules:\n  - boot: { kernl: x }\n",
      /^policy\.yaml:2:13: Unknown key "kernl"\n.*\n.*\n {2}did you mean "kernel"\?$/,
    ],
    [
      "a misspelt value in a list",
      "rules:\n  - arch: [x86_64, arm46]\n    boot: disk\n",
      /^policy\.yaml:2:20: .*"arm46".*\n.*\n.*\n {2}did you mean "arm64"\?$/,
    ],
    ["an empty list", "rules:\n  - { boot: disk, tag: [] }\n", /must be a list that is not empty/],
    [
      "a list where a text should be",
      "rules: [{ boot: [a] }]\n",
      /"rules\[0\]\.boot" is a list, but must be text or a mapping/,
    ],
    ["no rules", "rules: []\n", /policy\.yaml:1:8: "rules" is an empty list, but must be a list of rules/],
    ["nothing", "", /policy\.yaml.*This is empty, but must be a mapping/],
    ["no boot", "rules:\n  - tag: x\n", /policy\.yaml:2:5: Missing key "rules\[0\]\.boot"/],
    [
      "a bundle that is not there",
      "rules:\n  - boot: builds/hallo\n",
      /policy\.yaml:2:11: .*hallo" holds no bundle/,
    ],
    [
      "a MAC address that is none",
      "machines: [{ mac: 52:54 }]\nrules: [{ boot: disk }]\n",
      /policy\.yaml:1:19: .*but must be a MAC address/,
    ],
    [
      "a machine twice",
      `machines: [{ mac: ${MAC} }, { mac: 52-54-00-12-34-56 }]\nrules: [{ boot: disk }]\n`,
      /stands here twice/,
    ],
    [
      "a key twice",
      "rules:\n  - boot: disk\n    boot: none\n",
      /policy\.yaml:3:5: This key stands here twice/,
    ],
    ["broken YAML", "rules: [\n", /policy\.yaml:\d:\d: /],
    ["arguments that iPXE would change", "rules: [{ boot: disk, cmdline: 'a=${b}' }]\n", /expand/],
    [
      "a parameter's name with a way out",
      "rules: [{ boot: disk, params: { ../x: y } }]\n",
      /The key "\.\.\/x" must be a file name/,
    ],
    [
      "a file of parameters that is not there",
      "rules: [{ boot: disk, params: { x: { file: no } } }]\n",
      /Cannot find/,
    ],
  ])("%s is told with its place", async (_, text, message) => {
    await expect(parse(text)).rejects.toMatchObject({
      code: "PXE_POLICY_INVALID",
      message: expect.stringMatching(message),
    });
  });
  test("all that is wrong is told at once", async () => {
    const error = await parse("rules:\n  - boot: no/such\n  - boot: nor/this\n").catch(
      (error: Error) => error,
    );
    expect((error as Error).message.match(/policy\.yaml:/g)).toHaveLength(2);
  });
});

describe("selectors", () => {
  test("serial and uuid decide only when they are known, and not at all when they never are", async () => {
    const policy = await parse("rules:\n  - { serial: 'ACME*', boot: none }\n  - { boot: disk }\n");
    expect(decide(policy, {}, false)).toEqual({ kind: "open", rule: 0, needs: "serial" });
    expect(decide(policy, {}, true)).toMatchObject({ rule: 1 });
    expect(decide(policy, { serial: "acme-7" }, false)).toMatchObject({ rule: 0 });
    expect(decide(policy, { serial: "other" }, false)).toMatchObject({ rule: 1 });
  });
  test("what cannot fit decides, whatever else is unknown", async () => {
    const policy = await parse("rules:\n  - { serial: x, mac: '02:*', boot: none }\n  - { boot: disk }\n");
    expect(decide(policy, {}, false)).toMatchObject({ kind: "plan", rule: 1 });
  });
  test("a UUID fits in either order of its bytes", async () => {
    const uuid = "00010203-0405-0607-0809-0a0b0c0d0e0f";
    const policy = await parse("rules:\n  - { uuid: 03020100-0504-0706-0809-0a0b0c0d0e0f, boot: disk }\n");
    expect(uuidForms(uuid)[1]).toBe("03020100-0504-0706-0809-0a0b0c0d0e0f");
    expect(decide(policy, { uuid })).toMatchObject({ rule: 0 });
    expect(decide(policy, { uuid: "x" })).toEqual({ kind: "none" });
  });
  test("facts come from real requests", () => {
    const facts = (options: ReturnType<typeof firmware> | ReturnType<typeof ipxe>) =>
      factsOf(identifyClient(request("discover", { options })));
    expect(facts(firmware(7))).toMatchObject({ arch: "x86_64", firmware: "efi", mac: MAC });
    expect(facts(firmware(11))).toMatchObject({ arch: "arm64", firmware: "efi" });
    expect(facts(ipxe())).toMatchObject({ arch: "x86_64", firmware: "bios", ipxe: { linux: true } });
    expect(facts(firmware(999))).not.toHaveProperty("arch");
  });
  test.each([
    ["*", "", true],
    ["a*c", "abc", true],
    ["a*c", "abcd", false],
    ["*b*b*", "xbxb", true],
    ["?", "", false],
    ["a?c", "ABC", true],
    ["[ab]", "a", false],
  ])("%j fits %j: %s", (pattern, text, fits) => expect(matchesGlob(pattern, text)).toBe(fits));
  test("a pattern of many stars takes no time", () => {
    expect(matchesGlob(`${"*a".repeat(200)}b`, "a".repeat(20_000))).toBe(false);
  });
});

/** A small generator of numbers; the seed is printed when a property fails. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test("2000 random policies: the first rule that fits wins, by an oracle of regular expressions, and always the same", () => {
  const pick = random(20_261_126);
  const one = <T>(list: readonly T[]): T => list[pick(list.length)] as T;
  const macs = ["52:54:00:00:00:01", "52:54:00:00:00:02", "02:00:00:00:00:01"];
  const patterns = {
    mac: ["52:54:*", "*:01", "02:??:00:00:00:0?", macs[0] ?? ""],
    serial: ["A*", "*7", "??", "A-7"],
  };
  const regex = (glob: string): RegExp =>
    new RegExp(`^${glob.replaceAll(/[.-]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`, "i");
  for (let round = 0; round < 2000; round++) {
    const rules = Array.from({ length: 1 + pick(6) }, () => ({
      ...(pick(2) ? { mac: [one(patterns.mac), one(patterns.mac)] } : {}),
      ...(pick(2) ? { serial: [one(patterns.serial)] } : {}),
      ...(pick(3) ? {} : { tag: [one(["red", "b*"])] }),
      ...(pick(3) ? {} : { arch: [one(ARCH_NAMES)] }),
      boot: { kind: "disk" as const },
    }));
    const mac = one(macs);
    const tags = pick(2) ? [one(["red", "blue"])] : [];
    const policy: Policy = { rules, machines: new Map([[mac, { mac, tags }]]) };
    const facts: MachineFacts = {
      mac,
      serial: one([undefined, "A-7", "B7", "a-8"]),
      arch: one([undefined, ...ARCH_NAMES]),
    };
    const wanted = rules.findIndex((rule) => {
      const fits = (globs: readonly string[] | undefined, texts: readonly (string | undefined)[]): boolean =>
        !globs || globs.some((glob) => texts.some((text) => text !== undefined && regex(glob).test(text)));
      return (
        fits(rule.mac, [mac]) &&
        fits(rule.serial, [facts.serial]) &&
        fits(rule.tag, tags) &&
        fits(rule.arch, [facts.arch])
      );
    });
    const decision = choosePlan(policy, facts, { final: true });
    expect(decision.kind === "plan" ? decision.rule : -1, `round ${round}`).toBe(wanted);
    expect(choosePlan(policy, { ...facts }, { final: true })).toEqual(decision);
    // Before all is known it says the same, or that it does not know yet and which rule depends.
    const early = choosePlan(policy, facts, { final: false });
    if (early.kind === "open") expect(early.rule).toBeLessThan(wanted < 0 ? rules.length : wanted);
    else expect(early).toEqual(decision);
  }
});
