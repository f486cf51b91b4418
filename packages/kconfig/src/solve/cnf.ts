/**
 * Formulas as clauses: conjunctions are gates, each made once, and a gate gets clauses only when a clause needs it, in the
 * direction in which it does (Plaisted and Greenbaum). What is small is written out in place of the gate.
 */

/** A variable's number, or its negative for the variable's negation. */
export type Lit = number;

export const TRUE: Lit = 1;
export const FALSE: Lit = -1;

// Up to how many operands a gate is written out where it stands: as part of a longer clause, as clauses of its own, or as
// operands of another gate. More would save variables, and cost more clauses than they are worth.
const SMALL = 4;
const SPREAD = 3;
const MERGED = 12;

export class Cnf {
  /** All clauses one after the other, each ended by 0. */
  readonly clauses: Lit[] = [TRUE, 0];
  #variables = 1;
  readonly #gates = new Map<string, Lit>();
  /** Operands of the conjunction that a variable stands for. */
  readonly #operands: (readonly Lit[] | undefined)[] = [];
  /** Which directions of a gate have clauses: 1 downwards, 2 upwards. */
  readonly #written: number[] = [];
  readonly #queue: Lit[] = [];

  get variables(): number {
    return this.#variables;
  }

  variable(): Lit {
    return ++this.#variables;
  }

  and(...lits: readonly Lit[]): Lit {
    const flat = this.#flat(lits);
    if (flat === undefined) return FALSE;
    if (flat.length === 0) return TRUE;
    if (flat.length === 1) return flat[0] as Lit;
    const key = flat.join(" ");
    const known = this.#gates.get(key);
    if (known !== undefined) return known;
    const gate = this.variable();
    this.#gates.set(key, gate);
    this.#operands[gate] = flat;
    return gate;
  }

  or(...lits: readonly Lit[]): Lit {
    return -this.and(...lits.map((lit) => -lit));
  }

  /** `then` where the condition holds, else `other`. */
  choose(condition: Lit, then: Lit, other: Lit): Lit {
    if (condition === TRUE || then === other) return then;
    if (condition === FALSE) return other;
    return this.and(this.or(-condition, then), this.or(condition, other));
  }

  /** At least one of the literals holds. */
  clause(...lits: readonly Lit[]): void {
    this.#write(0, lits);
    this.#drain();
  }

  /** Gives a gate all its clauses, so that it can be asked for and looked at. */
  define(lit: Lit): void {
    this.#need(lit);
    this.#need(-lit);
    this.#drain();
  }

  /** What a gate is the conjunction of; undefined for other variables. */
  operandsOf(variable: Lit): readonly Lit[] | undefined {
    return this.#operands[variable];
  }

  /** The gates that hold when of all other variables only these do. */
  gatesThatHold(variables: readonly Lit[]): readonly Lit[] {
    const holds = new Uint8Array(this.#variables + 1);
    holds[TRUE] = 1;
    for (const variable of variables) holds[variable] = 1;
    const gates: Lit[] = [];
    // A gate is younger than its operands.
    for (const [gate, operands] of this.#operands.entries()) {
      if (operands?.every((lit) => (holds[Math.abs(lit)] === 1) === lit > 0) !== true) continue;
      holds[gate] = 1;
      gates.push(gate);
    }
    return gates;
  }

  /** At most one of the literals holds. */
  atMostOne(lits: readonly Lit[]): void {
    for (const [index, one] of lits.entries()) {
      for (const other of lits.slice(index + 1)) this.clause(-one, -other);
    }
  }

  // Operands of a conjunction, sorted and each once; undefined when it cannot hold.
  #flat(lits: readonly Lit[]): readonly Lit[] | undefined {
    const all = new Set<Lit>();
    for (const lit of lits) {
      if (lit === FALSE) return undefined;
      const inner = lit > 0 ? this.#operands[lit] : undefined;
      if (inner === undefined || inner.length > MERGED) all.add(lit);
      else for (const one of inner) all.add(one);
    }
    all.delete(TRUE);
    for (const lit of all) if (all.has(-lit)) return undefined;
    return [...all].sort((a, b) => Math.abs(a) - Math.abs(b));
  }

  // `head` is the gate that the clause defines, which stays as it is.
  #write(head: Lit, lits: readonly Lit[]): void {
    const all = new Set<Lit>(head === 0 ? [] : [head]);
    for (const lit of lits) {
      const operands = lit < 0 ? this.#operands[-lit] : undefined;
      if (operands === undefined || operands.length > SMALL) all.add(lit);
      else for (const one of operands) all.add(-one);
    }
    if (all.has(TRUE)) return;
    all.delete(FALSE);
    for (const lit of all) if (all.has(-lit)) return;
    const gates = [...all].filter((lit) => lit > 0 && lit !== head && this.#operands[lit] !== undefined);
    const [gate] = gates;
    const operands = gate === undefined ? undefined : this.#operands[gate];
    if (gate !== undefined && operands !== undefined && gates.length === 1) {
      if (operands.length <= SPREAD && all.size <= SMALL) {
        all.delete(gate);
        for (const one of operands)
          this.#write(
            head,
            [...all, one].filter((other) => other !== head),
          );
        return;
      }
    }
    for (const lit of all) {
      this.clauses.push(lit);
      if (lit !== head) this.#need(lit);
    }
    this.clauses.push(0);
  }

  #need(lit: Lit): void {
    const gate = Math.abs(lit);
    if (this.#operands[gate] === undefined) return;
    const direction = lit > 0 ? 1 : 2;
    const written = this.#written[gate] ?? 0;
    if ((written & direction) !== 0) return;
    this.#written[gate] = written | direction;
    this.#queue.push(lit);
  }

  #drain(): void {
    for (let lit = this.#queue.pop(); lit !== undefined; lit = this.#queue.pop()) {
      const operands = this.#operands[Math.abs(lit)] ?? [];
      if (lit > 0) for (const one of operands) this.#write(-lit, [one]);
      else
        this.#write(
          -lit,
          operands.map((one) => -one),
        );
    }
  }
}
