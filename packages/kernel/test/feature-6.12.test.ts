import { testFeatures } from "./support/feature-matrix.ts";

// A file for each kernel, so that both run at the same time.
testFeatures("6.12");
