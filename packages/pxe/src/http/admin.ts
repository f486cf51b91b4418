import { sameSecret, shownToken, type HttpExchange } from "./answer.ts";

/**
 * Whether a request may change things: it shows the administrator's token, or it comes from this machine. For
 * the latter its `Host` must be this machine's too: a page of another site that a browser here has open could
 * otherwise speak in its name, by a name that it makes point here.
 */
export function isAdmin(exchange: HttpExchange, token: string | undefined): boolean {
  const shown = shownToken(exchange);
  if (token !== undefined && shown !== "") return sameSecret(shown, token);
  const { remoteAddress = "", localAddress = "" } = exchange.request.socket;
  const own = remoteAddress.startsWith("127.") || (remoteAddress !== "" && remoteAddress === localAddress);
  const host = (exchange.request.headers.host ?? "").replace(/:\d+$/, "");
  return own && (host === "localhost" || host.startsWith("127.") || host === localAddress);
}
