import { PxeError } from "../errors.ts";

/** Turn a failed bind into an error that says what to do. */
export function socketError(
  cause: Error & { code?: string },
  where: { address: string; port: number; purpose: string; protocol: "UDP" | "TCP" },
): PxeError {
  const { address, port, purpose, protocol } = where;
  const subject = `Cannot listen on ${protocol} port ${port} of ${address} for ${purpose}`;
  switch (cause.code) {
    case "EACCES":
    case "EPERM":
      return new PxeError("PXE_PORT_DENIED", `${subject}: ports below 1024 need a privilege`, {
        cause,
        hint:
          "run as root, or give only this right: setpriv --ambient-caps +net_bind_service " +
          "--inh-caps +net_bind_service …, AmbientCapabilities=CAP_NET_BIND_SERVICE in a systemd unit, or " +
          "sysctl net.ipv4.ip_unprivileged_port_start=67; or have systemd bind it (ListenDatagram= in a socket unit)",
      });
    case "EADDRINUSE":
      return new PxeError("PXE_ADDRESS_IN_USE", `${subject}: another program has it`, {
        cause,
        hint: `see which one with: ss -lnp${protocol === "UDP" ? "u" : "t"} 'sport = :${port}'; stop it or choose another port`,
      });
    case "EADDRNOTAVAIL":
      return new PxeError(
        "PXE_ADDRESS_INVALID",
        `${subject}: no interface of this machine has that address`,
        {
          cause,
        },
      );
    default:
      return new PxeError("PXE_SOCKET_FAILED", `${subject}: ${cause.message}`, { cause });
  }
}
