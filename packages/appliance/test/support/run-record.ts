import type { RunRecord } from "../../src/run/record.ts";

/** What is kept of a run of a program that ended with 0. */
export const ENDED_WELL: RunRecord = {
  format: 1,
  id: "scratch",
  spec: "appliance.yaml",
  name: "x",
  bundle: "b",
  distro: false,
  started: "",
  argv: ["x"],
  machine: { accel: "tcg", qemu: "7.2", memory: 256, cpus: 1 },
  forwards: [],
  times: {},
  end: { kind: "exited", status: 0 },
  notes: [],
  failures: [],
  report: undefined,
  log: "/dev/null",
};
