import { createHash, X509Certificate } from "node:crypto";
import { chmod, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig } from "@justenough/kconfig";
import type { Config, ConfigBase } from "@justenough/kconfig";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import type { Compiler } from "./compiler.ts";
import { cleanEnv, runOrThrow } from "./process.ts";
import { makeScratch } from "./store.ts";
import { checkTools } from "./toolchain.ts";

/** The key that signs a kernel's modules, a file with private key and certificate (PEM). */
export interface ModuleKey {
  readonly path: string;
  /** sha256 of the certificate. */
  readonly certificate: string;
}

type Values = Pick<Config, "values">;

/**
 * The key for a kernel with MODULE_SIG: the one that MODULE_SIG_KEY names by an absolute path, or else the cache's, which
 * is made once: Kbuild makes another for each build directory, and no two builds would be the same. Undefined without
 * MODULE_SIG, and for a key in hardware.
 *
 * @throws KernelError KERNEL_CONFIG when the user's is not there.
 */
export async function moduleKey(
  config: Values,
  { base, compiler }: { readonly base?: ConfigBase | undefined; readonly compiler: Compiler },
  context: KernelContext,
): Promise<ModuleKey | undefined> {
  const below = typeof base === "object" ? parseConfig(base.text).values : undefined;
  const value = (symbol: string): string | undefined =>
    (config.values.get(symbol) ?? below?.get(symbol))?.text;
  if (value("MODULE_SIG") !== "y") return undefined;
  const named = value("MODULE_SIG_KEY") ?? "";
  if (named.startsWith("pkcs11:")) return undefined;
  if (named.startsWith("/")) {
    const certificate = await certificateOf(named);
    if (certificate !== undefined) return { path: named, certificate };
    throw new KernelError(
      "KERNEL_CONFIG",
      `MODULE_SIG_KEY is "${named}", and there is no certificate in it`,
      {
        hint: "It is a file with a private key and its certificate, both PEM",
      },
    );
  }
  const path = join(kernelCacheDir(context), "keys", "modules.pem");
  let certificate = await certificateOf(path);
  if (certificate === undefined) {
    await checkTools(compiler, config, context.signal);
    await makeKey(path, context.signal);
    certificate = (await certificateOf(path)) ?? "";
  }
  return { path, certificate };
}

/** Has Kbuild sign by the key. It neither makes one nor notes in the configuration where this is. */
export function keyArgs(key: ModuleKey): string[] {
  return [`CONFIG_MODULE_SIG_KEY=${key.path}`];
}

/** Whether a key is the one that a kernel trusts; `certificate` is Kbuild's signing_key.x509, DER. */
export async function isKeyOf(key: ModuleKey, certificate: string): Promise<boolean> {
  const trusted = await readFile(certificate).catch(() => undefined);
  return trusted !== undefined && sha256(trusted) === key.certificate;
}

async function certificateOf(path: string): Promise<string | undefined> {
  try {
    return sha256(new X509Certificate(await readFile(path)).raw);
  } catch {
    return undefined;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

// What certs/Makefile and certs/default_x509.genkey ask of openssl.
async function makeKey(path: string, signal: AbortSignal | undefined): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
  const scratch = await makeScratch(path);
  try {
    const [config, made] = [join(scratch, "x509.genkey"), join(scratch, "key.pem")];
    await writeFile(
      config,
      `[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = Signs kernel modules
[extensions]
basicConstraints = critical,CA:FALSE
keyUsage = digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`,
    );
    const words = "req -new -nodes -utf8 -sha256 -days 36500 -batch -x509 -newkey rsa:4096 -outform PEM";
    const args = [...words.split(" "), "-config", config, "-out", made, "-keyout", made];
    const command = { file: "openssl", args, env: cleanEnv() };
    await runOrThrow(command, { what: "make the key that signs modules", signal });
    await chmod(made, 0o600);
    // Who is first makes it for all.
    await link(made, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
