/** Tests that run at once: the one that is asked for, and those that are likely asked for next. */
import type { Plan, Position, Question } from "./plan.ts";
import type { ShrinkOptions, Verdict } from "./shrink.ts";

interface Running {
  readonly verdict: Promise<Verdict>;
  /** Ends it, whatever came of it. */
  readonly end: () => Promise<void>;
}

/** Questions that are looked at for one answer. */
const LOOKED_AT = 16;

/** Asks the test, and asks ahead while it thinks. */
export class Ahead {
  readonly #plan: Plan;
  readonly #options: ShrinkOptions;
  // By configuration, the least likely last.
  readonly #running = new Map<string, Running>();

  constructor(plan: Plan, options: ShrinkOptions) {
    this.#plan = plan;
    this.#options = options;
  }

  /** Whether the budget is left for it, or was spent on it already. */
  mayAsk({ text }: Question): boolean {
    return this.#running.has(text) || this.#options.mayTest?.(text) !== false;
  }

  /** What the test says. Nothing uses the tree any more when this is done. */
  async verdictOf(question: Question): Promise<Verdict> {
    const { parallel = 1 } = this.#options;
    const last = [...this.#running.keys()].at(-1);
    if (!this.#running.has(question.text) && this.#running.size >= parallel && last !== undefined)
      await this.#end([last]);
    const { verdict } = this.#begin(question);
    const life = { over: false };
    const looking = this.#lookAhead(question, life);
    // What goes wrong there is told when the verdict is here.
    looking.catch(() => undefined);
    try {
      return await verdict;
    } finally {
      life.over = true;
      await looking;
      this.#running.delete(question.text);
    }
  }

  /** Ends all tests, and waits for their ends. */
  async end(): Promise<void> {
    await this.#end([...this.#running.keys()]);
  }

  async #end(texts: readonly string[]): Promise<void> {
    const ending = texts.flatMap((text) => this.#running.get(text) ?? []);
    for (const text of texts) this.#running.delete(text);
    await Promise.all(ending.map(({ end }) => end()));
  }

  #begin({ text, step }: Question): Running {
    const known = this.#running.get(text);
    if (known !== undefined) return known;
    const controller = new AbortController();
    const verdict = this.#options.test(text, step, controller.signal);
    // Whoever asks for the verdict is told what went wrong.
    const ended = verdict.then(
      () => undefined,
      () => undefined,
    );
    const end = (): Promise<void> => {
      controller.abort();
      return ended;
    };
    const running = { verdict, end };
    this.#running.set(text, running);
    return running;
  }

  // The likeliest first; those that are not among them any more are ended.
  async #lookAhead(asked: Question, life: { readonly over: boolean }): Promise<void> {
    const { parallel = 1 } = this.#options;
    if (parallel <= 1) return;
    const wanted = new Map([[asked.text, asked]]);
    const open = this.#followers(asked, 1);
    for (let looked = 0; looked < LOOKED_AT && wanted.size < parallel && !life.over; looked++) {
      open.sort((a, b) => b.odds - a.odds);
      const likeliest = open.shift();
      if (likeliest === undefined) break;
      const next = await this.#plan.next(likeliest.at);
      if (next === undefined) continue;
      wanted.set(next.text, next);
      open.push(...this.#followers(next, likeliest.odds));
    }
    // Looking was cut short: what runs may be what is asked for next.
    if (life.over) return;
    await this.#end([...this.#running.keys()].filter((text) => !wanted.has(text)));
    for (const question of wanted.values()) if (this.mayAsk(question)) this.#begin(question);
  }

  #followers(question: Question, odds: number): { readonly at: Position; readonly odds: number }[] {
    const yes = this.#plan.odds(question);
    return [
      { at: this.#plan.after(question, { ok: true }), odds: odds * yes },
      { at: this.#plan.after(question, { ok: false, why: "" }), odds: odds * (1 - yes) },
    ];
  }
}
