import { testPresets } from "./support/preset-matrix.ts";

// A file for each kernel, so that both run at the same time.
testPresets("6.1");
