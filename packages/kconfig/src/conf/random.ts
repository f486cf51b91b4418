/** glibc's rand(), which decides what randconfig makes of a seed (random_r.c, TYPE_3). */
const DEGREE = 31;
const SEPARATION = 3;

/** Numbers from 0 to 2³¹−1, the same as C's srand(seed) and rand(). */
export function glibcRandom(seed: number): () => number {
  const state = new Int32Array(DEGREE);
  let word = seed === 0 ? 1 : seed | 0;
  state[0] = word;
  for (let index = 1; index < DEGREE; index++) {
    // 16807 * word % 2147483647 without overflow, as Schrage has it.
    const high = Math.trunc(word / 127773);
    const low = word % 127773;
    word = 16807 * low - 2836 * high;
    if (word < 0) word += 2147483647;
    state[index] = word;
  }
  let front = SEPARATION;
  let rear = 0;
  const next = (): number => {
    const sum = ((state[front] as number) + (state[rear] as number)) | 0;
    state[front] = sum;
    front = (front + 1) % DEGREE;
    rear = (rear + 1) % DEGREE;
    return sum >>> 1;
  };
  for (let index = 0; index < DEGREE * 10; index++) next();
  return next;
}
