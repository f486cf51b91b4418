import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defaultSource, fetchSource, resolveSource } from "@justenough/kernel";
import { countKtap, parseKtap } from "@justenough/qemu";
import { expect, test } from "vitest";

// Prints file, passed, failed, skipped and crashed, as the kernel's own tool counts them.
const COUNT = `
import contextlib, io, os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import kunit_parser
for name in sorted(os.listdir(sys.argv[2])):
    if not name.endswith(".log"): continue
    with contextlib.redirect_stdout(io.StringIO()), open(os.path.join(sys.argv[2], name), errors="replace") as log:
        run = kunit_parser.parse_run_tests(log.readlines())
    counts = run.counts
    print(name, counts.passed, counts.failed, counts.skipped, counts.crashed, file=sys.stderr)
`;

test("results of tests are counted as by the kernel's kunit_parser.py, on its own examples", async () => {
  const tree = await fetchSource(await resolveSource(await defaultSource()));
  const kunit = join(tree, "tools/testing/kunit");
  const logs = join(kunit, "test_data");
  const script = execFileSync("sh", ["-c", 'python3 -c "$0" "$1" "$2" 2>&1 >/dev/null', COUNT, kunit, logs], {
    encoding: "utf8",
  });
  const names = readdirSync(logs).filter((name) => name.endsWith(".log"));
  expect(names.length).toBeGreaterThan(20);
  const ours = names.sort().map((name) => {
    const run = parseKtap(readFileSync(join(logs, name), "utf8"));
    const { passed, failed, skipped, crashed } = run === undefined ? NONE : countKtap(run);
    return `${name} ${passed} ${failed} ${skipped} ${crashed}\n`;
  });
  expect(ours.join("")).toBe(script);
});

const NONE = { passed: 0, failed: 0, skipped: 0, crashed: 0 };
