import type { Arch } from "../../arch.ts";
import type { InitRecords } from "../../init-records.ts";
import { guessLayerKind } from "../../layers/guess-kind.ts";
import type { LayerSpec } from "../../layers/layer-spec.ts";
import { readImageConfig } from "../../layers/read-layers.ts";
import type { InitSpec } from "../../spec.ts";

const KINDS = ["tar", "oci", "initramfs", "deb", "list", "directory"] as const;

/** `[KIND=]SOURCE`, of a container image `SOURCE#REFERENCE`. */
export async function parseLayer(text: string, platform: string | undefined): Promise<LayerSpec> {
  const given = KINDS.find((kind) => text.startsWith(`${kind}=`));
  const source = given === undefined ? text : text.slice(given.length + 1);
  const kind = given ?? (await guessLayerKind(source));
  if (kind !== "oci") return { kind, source };
  const hash = source.lastIndexOf("#");
  return hash < 0
    ? { kind, source, platform }
    : { kind, source: source.slice(0, hash), reference: source.slice(hash + 1), platform };
}

/** Without a command of the user's, the uppermost container image tells what to run, and how. */
export async function generatedInit(
  records: InitRecords,
  layers: readonly LayerSpec[],
  arch: Arch,
): Promise<InitSpec> {
  const image = layers.findLast((layer) => layer.kind === "oci");
  if (image === undefined || (records.args ?? []).length > 0) return { kind: "generated", ...records };
  const { args, env, cwd } = await readImageConfig(image, { arch });
  return { kind: "generated", ...records, args, env, cwd };
}
