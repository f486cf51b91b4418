import { describe, expect, test } from "vitest";
import { DHCP_OPTION, identifyClient, planBoot, textBytes, type BootSite } from "../src/index.ts";
import { firmware, ipxe, request } from "./packets.ts";

const site: BootSite = {
  address: "10.77.0.1",
  httpPort: 8080,
  tftpPort: 69,
  binaries: { bios: "undionly.kpxe", "efi-x64": "snponly.efi", "efi-arm64": "arm.efi" },
};
const client = (options: Parameters<typeof request>[1]) => identifyClient(request("discover", options));

describe("who asks (RFC 4578, IANA architecture types)", () => {
  test.each([
    [0, "bios", "tftp"],
    [6, "efi-ia32", "tftp"],
    [7, "efi-x64", "tftp"],
    [9, "efi-x64", "tftp"],
    [11, "efi-arm64", "tftp"],
    [16, "efi-x64", "http"],
    [19, "efi-arm64", "http"],
    [10, "efi-arm32", "tftp"],
    [15, "efi-ia32", "http"],
    [17, "unknown", "tftp"],
    [18, "efi-arm32", "http"],
    [20, "bios", "http"],
    [21, "uboot-arm32", "tftp"],
    [24, "uboot-arm64", "http"],
    [27, "efi-riscv64", "tftp"],
    [28, "efi-riscv64", "http"],
    [39, "efi-loong64", "tftp"],
    [4095, "unknown", "tftp"],
  ])("type %i is %s by %s", (arch, platform, transport) => {
    expect(client({ options: firmware(arch) })).toMatchObject({ pxe: true, platform, transport, arch });
  });
  test("of several types the first known one counts", () => {
    const types = [DHCP_OPTION.clientArch, Uint8Array.of(15, 255, 0, 7, 0, 0)] as const;
    expect(client({ options: [...firmware(0), types] }).platform).toBe("efi-x64");
  });
  test("option 60 without 93, or another class, is no PXE client", () => {
    expect(client({ options: [[DHCP_OPTION.vendorClass, textBytes("PXEClient")]] }).pxe).toBe(false);
    expect(client({ options: firmware(0, "udhcp 1.35") }).pxe).toBe(false);
  });
  test("old cards without 94 and 97 are PXE clients", () => {
    const options = firmware(0).filter(([code]) => code !== 94 && code !== 97);
    expect(client({ options })).toMatchObject({ pxe: true, uuid: undefined });
  });
  test("97 must have 17 bytes and type 0", () => {
    expect(client({ options: firmware(0) }).uuid).toBe("00010203-0405-0607-0809-0a0b0c0d0e0f");
    const short = [...firmware(0), [97, Uint8Array.of(0, 1, 2)]] as const;
    expect(client({ options: short }).uuid).toBeUndefined();
  });
  test("iPXE is known by option 175, or by the bare user class", () => {
    expect(client({ options: ipxe() }).ipxe).toMatchObject({ http: true, linux: true });
    const named = [[DHCP_OPTION.userClass, textBytes("iPXE")]] as const;
    expect(client({ options: named })).toMatchObject({
      pxe: true,
      platform: "bios",
      ipxe: { codes: undefined },
    });
  });
});

describe("the next step", () => {
  const plan = (options: Parameters<typeof request>[1]) => planBoot(client(options), site);
  test("an iPXE with HTTP and bzImage+PXE, or EFI, gets the script", () => {
    const script = { stage: "script", url: "http://10.77.0.1:8080/boot.ipxe" };
    expect(plan({ options: ipxe([19, 24, 33]) })).toEqual(script);
    expect(plan({ options: ipxe([19, 36], 7) })).toEqual(script);
  });
  test("without HTTP it gets the script by TFTP", () => {
    expect(plan({ options: ipxe([24, 33]) })).toEqual({ stage: "script", url: "tftp://10.77.0.1/boot.ipxe" });
  });
  test("an iPXE that cannot start Linux is treated as firmware", () => {
    expect(plan({ options: ipxe([19]) })).toMatchObject({ stage: "binary", file: "undionly.kpxe" });
    expect(plan({ options: ipxe([19, 24]) })).toMatchObject({ stage: "binary" });
  });
  test("UEFI HTTP boot gets a URL", () => {
    const options = firmware(19, "HTTPClient:Arch:00019");
    expect(plan({ options })).toEqual({
      stage: "binary",
      file: "http://10.77.0.1:8080/arm.efi",
      transport: "http",
    });
  });
  test("unknown platforms and systems get nothing, with the reason", () => {
    expect(plan({ options: firmware(6) })).toMatchObject({ reason: "there is no boot program for efi-ia32" });
    expect(plan({ options: firmware(4095) })).toMatchObject({
      reason: expect.stringContaining("architecture 4095"),
    });
    expect(plan({})).toMatchObject({ stage: "none" });
  });
});
