/** How far a search for a smaller configuration has come: plain data, to be kept and read again. */

/** An option that has to stay. */
export interface NeededOption {
  readonly symbol: string;
  /** What happened without it, in the words of the test. */
  readonly why: string;
  /** After how many steps it was tried: later ones may have made it superfluous. */
  readonly step: number;
}

/** An option that is off and was on at the start. */
export interface RemovedOption {
  readonly symbol: string;
  /** The number of the step that turned it off; the test passed then. */
  readonly step: number;
}

/** What shrink() has found out. */
export interface ShrinkState {
  /** The smallest configuration that has passed, complete. */
  readonly text: string;
  /** How often options were turned off. */
  readonly step: number;
  readonly needed: readonly NeededOption[];
  readonly removed: readonly RemovedOption[];
  /** Tests that were asked for. */
  readonly tests: number;
  /** How many of the options that are decided were expected to be needed: what came of it sets the odds for the rest. */
  readonly expected: number;
}
