import { describe, expect, it } from "vitest";
import { openElf, readElf, readVersionNeeds } from "../src/index.ts";
import { ourFacts, theirFacts } from "./compare.ts";
import { elfFilesIn, fileSource, readelfVersions } from "./corpus.ts";

// The directories where a Linux distribution keeps its programs and libraries, as far as they exist.
const MULTIARCH = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
const FILES = elfFilesIn(["/usr/bin", "/usr/sbin", `/usr/lib/${MULTIARCH}`]);

describe("against readelf", () => {
  it(`agrees about every ELF file of this machine's bin and lib directories`, () => {
    expect(FILES.length).toBeGreaterThan(300);
    expect(FILES.map(ourFacts)).toEqual(theirFacts(FILES));
    console.log(`compared ${FILES.length} files with readelf`);
  }, 60_000);

  it("agrees about needed versions", () => {
    const sample = FILES.filter((_, index) => index % 12 === 0);
    const ours = sample.map((path) => {
      using source = fileSource(path);
      return readVersionNeeds(openElf(source)).flatMap(({ library, versions }) =>
        versions.map(({ name, weak }) => `${library} ${name}${weak ? "?" : ""}`),
      );
    });
    const theirs = readelfVersions(sample);
    expect(ours).toEqual(sample.map((path) => theirs.get(path)));
    expect(ours.flat().length).toBeGreaterThan(sample.length);
  });

  it("reads little of large files", () => {
    let largest = 0;
    let reads = 0;
    for (const path of FILES) {
      using source = fileSource(path);
      readElf(source);
      largest = Math.max(largest, source.stats.bytes);
      reads += source.stats.reads;
    }
    expect(largest).toBeLessThan(64 * 1024);
    expect(reads / FILES.length).toBeLessThan(20);
  });
});
