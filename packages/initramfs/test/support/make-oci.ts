import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";

import { makeTar } from "./make-tar.ts";

export interface MadeLayer {
  readonly tar: Uint8Array;
  readonly compression?: "none" | "gzip" | "zstd";
}

export interface MadeImage {
  readonly layers: readonly MadeLayer[];
  readonly reference?: string;
  readonly architecture?: string;
  readonly variant?: string;
  /** The part of the configuration that says how to run it. */
  readonly run?: Readonly<Record<string, unknown>>;
}

/** Files by their paths in the layout or archive. */
export type Files = Map<string, Uint8Array>;

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** An OCI image layout, image-spec/image-layout.md. `nested` puts the manifests into an index of their own. */
export function makeLayout(images: readonly MadeImage[], options: { readonly nested?: string } = {}): Files {
  const files: Files = new Map([["oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}')]]);
  const blob = (mediaType: string, bytes: Uint8Array) => {
    files.set(`blobs/sha256/${sha256(bytes)}`, bytes);
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
  };
  const manifests = images.map(({ layers, reference, architecture = "amd64", variant, run = {} }) => {
    const platform = { os: "linux", architecture, ...(variant === undefined ? {} : { variant }) };
    const manifest = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: blob("application/vnd.oci.image.config.v1+json", json(imageConfig(layers, platform, run))),
      layers: layers.map(({ tar, compression = "gzip" }) =>
        blob(
          `application/vnd.oci.image.layer.v1.tar${compression === "none" ? "" : `+${compression}`}`,
          compressed(tar, compression),
        ),
      ),
    };
    const annotations =
      reference === undefined ? {} : { annotations: { "org.opencontainers.image.ref.name": reference } };
    return { ...blob(manifest.mediaType, json(manifest)), platform, ...annotations };
  });
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests };
  const top =
    options.nested === undefined
      ? index
      : {
          ...index,
          manifests: [
            {
              ...blob(index.mediaType, json(index)),
              annotations: { "org.opencontainers.image.ref.name": options.nested },
            },
          ],
        };
  files.set("index.json", json(top));
  return files;
}

/** What `docker save` wrote before it learnt the layout of the OCI: the files are named by the archive alone. */
export function makeDockerSave(image: MadeImage & { readonly tags: readonly string[] }): Files {
  const config = json(imageConfig(image.layers, { os: "linux", architecture: "amd64" }, image.run ?? {}));
  const files: Files = new Map([[`${sha256(config)}.json`, config]]);
  const names = image.layers.map(({ tar }) => `${sha256(tar)}/layer.tar`);
  for (const [index, { tar }] of image.layers.entries()) files.set(names[index] as string, tar);
  files.set(
    "manifest.json",
    json([{ Config: `${sha256(config)}.json`, RepoTags: image.tags, Layers: names }]),
  );
  return files;
}

export function writeFiles(directory: string, files: Files): string {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
  return directory;
}

export function tarOf(files: Files): Buffer {
  return makeTar([...files].map(([name, data]) => ({ name, data })));
}

function imageConfig(layers: readonly MadeLayer[], platform: object, run: object): object {
  return {
    ...platform,
    config: run,
    rootfs: { type: "layers", diff_ids: layers.map(({ tar }) => `sha256:${sha256(tar)}`) },
  };
}

function compressed(tar: Uint8Array, compression: "none" | "gzip" | "zstd"): Uint8Array {
  if (compression === "none") return tar;
  return compression === "gzip" ? gzipSync(tar) : zstdCompressSync(tar);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
