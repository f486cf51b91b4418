import { createServer } from "node:net";
import { ApplianceError } from "../error.ts";
import type { ResolvedForward } from "../spec/resolved.ts";

/**
 * The host ports for the forwards: as wished if free. A flexible one that is taken becomes 0, for which QEMU
 * takes any free port; another one that is taken is an error here, where it can be told well.
 */
export async function choosePorts(
  forwards: readonly ResolvedForward[],
): Promise<{ readonly host: number; readonly guest: number }[]> {
  const chosen: { host: number; guest: number }[] = [];
  for (const { host, guest, flexible } of forwards) {
    const free = host === 0 || (await isFree(host));
    if (!free && !flexible) {
      throw new ApplianceError("APPLIANCE_PORT_TAKEN", `Port ${host} of this machine is already taken`, {
        hint: `forward another one, like --forward 0:${guest} for any free port`,
      });
    }
    chosen.push({ host: free ? host : 0, guest });
  }
  return chosen;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(false));
    server.listen({ host: "127.0.0.1", port }, () => server.close(() => done(true)));
  });
}
