/** Cuts a byte stream at newlines without ever splitting a multi-byte character. */
export interface LineDecoder {
  /** The lines completed by this chunk, without their newline; `undefined` once a line exceeds the limit. */
  push(chunk: Uint8Array): readonly string[] | undefined;
  /** What is left after the last newline. */
  rest(): string;
  /** The same, without taking it. */
  peek(): string;
}

export function createLineDecoder(maxLine: number): LineDecoder {
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = (): string => {
    const line = Buffer.concat(parts).toString("utf8");
    parts = [];
    length = 0;
    return line;
  };
  return {
    push(chunk) {
      const lines: string[] = [];
      let from = 0;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
        parts.push(chunk.subarray(from, at));
        lines.push(take());
        from = at + 1;
      }
      if (from < chunk.length) {
        parts.push(chunk.subarray(from));
        length += chunk.length - from;
      }
      return length > maxLine ? undefined : lines;
    },
    rest: take,
    peek: () => Buffer.concat(parts).toString("utf8"),
  };
}
