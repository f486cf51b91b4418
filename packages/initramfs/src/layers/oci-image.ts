import { fromDockerSave } from "./docker-save.ts";
import type { Choice, Image } from "./image.ts";
import type { ImageStore } from "./image-store.ts";
import { parseJson } from "./json.ts";
import { layerError } from "./layer-error.ts";
import { fromLayout } from "./oci-layout.ts";

/** Finds the image of a layout (image-spec, image-layout.md) or of a `docker save` archive. */
export function chooseImage(store: ImageStore, choice: Choice): Image {
  const index = store.file("index.json");
  if (index !== undefined) return fromLayout(store, parseJson(index, "index.json", store.name), choice);
  const list = store.file("manifest.json");
  if (list !== undefined) return fromDockerSave(store, parseJson(list, "manifest.json", store.name), choice);
  throw layerError(
    store.name,
    undefined,
    "it is no container image: there is neither index.json nor manifest.json",
  );
}
