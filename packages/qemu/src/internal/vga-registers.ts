import type { QmpClient } from "../qmp.ts";

/**
 * Reads registers of a VGA card that are behind a pair of ports, index and data, of a guest that stands still. The index
 * is put back: the guest may have written it just now and be about to use the data port.
 */
export async function readRegisters(
  qmp: QmpClient,
  port: number,
  numbers: readonly number[],
): Promise<number[]> {
  const read = async (from: number): Promise<number> => {
    // As in "portb[0x03d5] = 0x0c".
    const answer = await qmp.execute("human-monitor-command", { "command-line": `i/b ${from}` });
    return Number(/= (0x[0-9a-f]+)/.exec(answer)?.[1] ?? Number.NaN);
  };
  const select = (number: number): Promise<string> =>
    qmp.execute("human-monitor-command", { "command-line": `o/b ${port} ${number}` });
  const index = await read(port);
  // QEMU answers in the order of the questions: nothing is gained by waiting for each.
  const values = await Promise.all(
    numbers.map(async (number) => (await Promise.all([select(number), read(port + 1)]))[1]),
  );
  await select(index);
  return values;
}
