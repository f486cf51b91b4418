/** A cable that loses, doubles and reorders frames in both directions, all from one seed. */
import type { FrameLink } from "../../src/index.ts";
import { mutator } from "../fuzz.ts";

export interface Impairment {
  readonly seed: number;
  /** Shares of the frames, from 0 to 1. */
  readonly loss: number;
  readonly duplicate: number;
  /** A frame of this share comes after the next one. */
  readonly reorder: number;
}

export function impaired(link: FrameLink, impairment: Impairment): FrameLink {
  const { below } = mutator(impairment.seed);
  const chance = (share: number): boolean => below(1_000_000) < share * 1_000_000;
  /** What comes out for each frame that goes in. */
  const pass = (): ((frame: Uint8Array) => readonly Uint8Array[]) => {
    let held: Uint8Array | undefined;
    return (frame) => {
      const out: Uint8Array[] = [];
      if (!chance(impairment.loss)) {
        if (held === undefined && chance(impairment.reorder)) {
          held = frame.slice();
          return out;
        }
        out.push(frame);
        if (chance(impairment.duplicate)) out.push(frame);
      }
      if (held) out.push(held);
      held = undefined;
      return out;
    };
  };
  const outward = pass();
  const inward = pass();
  async function* read(): AsyncGenerator<Uint8Array> {
    for await (const frame of link.frames) yield* inward(frame);
  }
  return {
    frames: read(),
    send: (frame) => {
      for (const each of outward(frame)) link.send(each);
    },
  };
}
